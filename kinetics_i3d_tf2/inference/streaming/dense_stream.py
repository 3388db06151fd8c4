"""Dense logits of frames as they come, each computed once."""

import keras
import numpy as np
from keras import ops

from ...arguments import suggest_arguments
from ...data.preprocessing import normalize
from ...models.architecture import MIN_FRAMES, TIME_STRIDE
from ...models.checks import check_clip
from .pieces import CountError
from .stream_graph import StreamGraph

_FAR = 1000  # parts from the beginning, beyond what any layer sees


@suggest_arguments
class DenseStream:
    """Dense logits of a clip of any length, as its frames come.

    They are those of `InceptionI3d(temporal="dense")` on the whole clip, to rounding:
    each layer keeps the items in time that its next window needs, so that no frame is
    seen twice. Memory does not grow, and a place comes 64 frames after its window
    of 16 began.

    SAME padding with strides begins a frame earlier or later with the remainder of the
    number of frames by 8. It is unknown while frames come, and the stream is that of a
    multiple of 8; at the end, the last frame is repeated up to the next one.

    Args:
        model: `InceptionI3d` with its logits, mean or dense; or a `StreamGraph`, which
            several streams share. Its weights are copied.
        num_frames: number of frames of the clip if it is known; then also the logits of
            other numbers than multiples of 8 are those of the whole clip.
        dtype: dtype policy of the trunk, "float32" or "bfloat16".
        part: frames that are run at once, a multiple of 8: more are faster, and later.

    Raises:
        ValueError: `part` is no multiple of 8, `num_frames` is too few for a place, or
            the model has no logits.

    Examples:
        >>> stream = DenseStream(InceptionI3d(weights="rgb_imagenet"))
        >>> for frames in camera:  # float32 (n, 224, 224, 3) in [-1, 1]
        ...     for logits in stream.add(frames):
        ...         print(top_k(logits, 1))

    Attributes:
        frames: number of frames so far.
        places: number of places so far.
    """

    def __init__(
        self,
        model: keras.Model | StreamGraph,
        *,
        num_frames: int | None = None,
        dtype: str = "float32",
        part: int = TIME_STRIDE,
    ):
        if num_frames is not None and num_frames < MIN_FRAMES:
            raise ValueError(
                f"num_frames must be at least {MIN_FRAMES}, or None if it is unknown. "
                f"Received: {num_frames}"
            )
        if not isinstance(model, StreamGraph):
            model = StreamGraph(model, dtype=dtype, part=part)
        self._graph = model
        self._num_frames = num_frames
        self._held = None  # Frames that fill no part.
        self._last = None
        self._step = self._halos = None
        self._parts = 0
        self._is_finished = False
        self.frames = self.places = 0

    def add(self, frames: np.ndarray) -> np.ndarray:
        """Takes the next frames.

        Args:
            frames: any number, `(n, height, width, channels)`, of one size; uint8 RGB,
                or float32 in [-1, 1].

        Returns:
            Logits of the places that are complete, float32 `(places, num_classes)`;
            mostly one for every 8 frames.

        Raises:
            ValueError: they are of another shape, or the stream is finished.
        """
        frames = np.asarray(frames)
        self._check(frames)
        if self._step is None:
            self._begin(frames)
        if len(frames):
            self._last = frames[-1:]
        self.frames += len(frames)
        held, part = np.concatenate([self._held, frames]), self._graph.part
        count = len(held) // part * part
        self._held = held[count:]
        found = [self._run(held[n : n + part]) for n in range(0, count, part)]
        return np.concatenate([self._empty, *found])

    def finish(self) -> np.ndarray:
        """Ends the clip.

        Returns:
            Logits of the places that are left, as of `add`; a clip of n frames has
            `ceil(n / 8) - 1` in all, at least one.

        Raises:
            CountError: there were not `num_frames` frames, to a multiple of 8.
            ValueError: there was no frame, or the stream is finished.
        """
        if self._is_finished or not self.frames:
            raise ValueError(
                "finish ends a stream that has frames, once. Received: "
                f"{self.frames} frames{' and an end' * self._is_finished}"
            )
        end = self.frames
        if self._num_frames is None:
            end = max(-(-end // TIME_STRIDE), 2) * TIME_STRIDE
            repeated = np.repeat(self._last, end - self.frames, axis=0)
            self._held = np.concatenate([self._held, repeated])
        elif end < MIN_FRAMES or (end - self._num_frames) % TIME_STRIDE:
            raise CountError(end)
        self._is_finished = True
        held, part = self._held, self._graph.part
        found = [self._empty]
        while self.places < -(-end // TIME_STRIDE) - 1:
            frames, held = held[:part], held[part:]
            found.append(self._run(frames, end))
        return np.concatenate(found)

    def _check(self, frames):
        if self._is_finished:
            raise ValueError("the stream is finished; begin another DenseStream")
        size = None if self._held is None else self._held.shape[1:]
        if frames.ndim != 4 or frames.shape[1:] != (size or frames.shape[1:]):
            raise ValueError(
                "frames must be (n, height, width, channels), all of one size"
                f"{size or ''}. Received: {frames.shape}"
            )
        check_clip(
            (1, None, *frames.shape[1:]), self._graph.model.num_channels, "Logits"
        )

    def _begin(self, frames):
        rest = (self._num_frames or 0) % TIME_STRIDE
        self._held = frames[:0]
        self._step = self._graph.step(*frames.shape[1:3], rest)
        self._halos = {
            name: ops.zeros((1, *shape), dtype)
            for name, (shape, dtype) in self._step.halos.items()
        }

    @property
    def _empty(self):
        return np.empty((0, self._graph.model.num_classes), np.float32)

    def _run(self, frames, end=None):
        """Logits that a part completes, of a clip that ends at a frame."""
        part = self._graph.part
        frames = normalize({"clip": frames})["clip"]
        if len(frames) < part:  # Convolutions see zeros after the end.
            missing = np.zeros((part - len(frames), *frames.shape[1:]), np.float32)
            frames = np.concatenate([frames, missing])
        first = self._parts * part
        self._parts += 1
        # Far from the beginning float32 counts from a later frame.
        origin = max(0, first - _FAR * part)
        inputs = {
            "clip": frames[None],
            "first": [first - origin],
            "count": [np.inf if end is None else end - origin],
        }
        inputs = {k: ops.convert_to_tensor(v, "float32") for k, v in inputs.items()}
        outputs = dict(self._step.run(inputs | self._halos))
        logits = ops.convert_to_numpy(outputs.pop("logits"))[0]
        self._halos = outputs
        place = first // TIME_STRIDE - self._step.late
        last = None if end is None else -(-end // TIME_STRIDE) - 1 - place
        logits = logits[max(0, -place) : last]
        self.places += len(logits)
        return logits
