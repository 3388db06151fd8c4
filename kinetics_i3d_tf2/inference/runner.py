"""Models of one or both streams, run on the frames of a clip."""

import functools
import itertools
from collections.abc import Mapping, Sequence

import keras
import numpy as np
from absl import logging

from ..data import preprocessing
from ..data.clip_recipe import ClipRecipe
from ..models.architecture import MIN_FRAMES
from ..streams import CHANNELS, title
from ..utils.progress import Bar
from . import graph
from .frames import MAX_WHOLE, LongVideo
from .streaming import long_clips, pieces
from .streaming.dense_stream import DenseStream
from .streaming.long_clips import Run, Shown
from .streaming.stream_graph import StreamGraph


class Runner:
    """Prepares frames and runs the models of one or both streams on them.

    Args:
        models: `InceptionI3d` by stream, "rgb" or "flow".
        dtype: "float32" or "bfloat16".

    Attributes:
        models: by stream, "rgb" before "flow".
    """

    def __init__(self, models: Mapping[str, keras.Model], *, dtype: str = "float32"):
        self.models = {name: models[name] for name in CHANNELS if name in models}
        self._dtype = dtype
        self._run = functools.cache(self._prepare_run)
        self._long = functools.cache(self._prepare_long)
        self._stream_graph = functools.cache(
            lambda stream, part: StreamGraph(
                self.models[stream], dtype=self._dtype, part=part
            )
        )

    @property
    def recipe(self) -> ClipRecipe:
        """How frames are prepared."""
        streams = tuple(self.models)
        return ClipRecipe("joint" if len(streams) > 1 else streams[0])

    def prepare(
        self,
        frames: np.ndarray | list[np.ndarray],
        *,
        recipe: ClipRecipe | None = None,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """Prepares frames as the release prepared its sample.

        Args:
            frames: uint8 RGB `(frames, height, width, 3)` in 0..255, 25 per second.
            recipe: `self.recipe`, possibly with other options of the flow.
            progress: show a progress bar of the flow on standard error.

        Returns:
            A batch of one clip for each stream: float32 `(1, frames, 224, 224,
            channels)` in [-1, 1]; shorter than nine frames, they are repeated.

        Raises:
            ValueError: there is one frame, and optical flow needs two.
        """
        if "flow" in self.models and len(frames) < 2:
            raise ValueError("there is one frame, and optical flow needs two")
        if "flow" in self.models:
            logging.info("Computing TV-L1 flow of %d frame pairs", len(frames) - 1)
        for stream in self.models:
            count = len(frames) - (stream == "flow")
            if count < MIN_FRAMES:
                logging.warning(
                    "Looping %d frames of %s to %d", count, stream, MIN_FRAMES
                )
        streams = preprocessing.model_input(
            frames, recipe or self.recipe, progress=progress
        )
        return {name: clip[None] for name, clip in streams.items()}

    def run_frames(
        self,
        frames: np.ndarray | Sequence[np.ndarray] | LongVideo,
        endpoints: tuple[str, ...] = ("Logits",),
        *,
        recipe: ClipRecipe | None = None,
        show: int = 0,
        progress: bool = False,
    ) -> Run:
        """Prepares frames and runs the models on them.

        Args:
            frames: uint8 RGB `(frames, height, width, 3)`, or what `read_frames` gives.
            endpoints: as of `run`.
            recipe: as of `prepare`.
            show: how many frames of each stream to keep in the result.
            progress: show a progress bar on standard error.

        Returns:
            The endpoints of each stream, and some of its frames.

        Raises:
            ValueError: as of `prepare`.
        """
        if len(frames) <= MAX_WHOLE:
            clips = self.prepare(frames, recipe=recipe, progress=progress)
            return self.run_clips(clips, endpoints, show=show)
        recipe = recipe or self.recipe

        def attempt(count):
            bar = Bar(frames, "Scoring", count, disable=not progress, unit="frame")
            streams = preprocessing.iter_streams(bar, recipe, keep_last=True)
            counts = {name: count - (name == "flow") for name in self.models}
            return self._run_long(streams, counts, endpoints, show)

        return pieces.with_right_count(attempt, len(frames))

    def run_clips(
        self,
        clips: Mapping[str, np.ndarray],
        endpoints: tuple[str, ...] = ("Logits",),
        *,
        show: int = 0,
    ) -> Run:
        """Runs the models on a prepared clip.

        Args:
            clips: batch of one clip by stream, as `prepare` gives it.
            endpoints: as of `run`.
            show: how many frames of each stream to keep in the result.

        Returns:
            The endpoints of each stream, and some of its frames.
        """
        outputs = self.run(clips, endpoints)
        shown = {}
        if show:
            shown = {n: Shown.of_clip(clips[n][0], show) for n in self.models}
        return Run(outputs, shown, max(clips[n].shape[1] for n in self.models))

    def run(
        self,
        clips: Mapping[str, np.ndarray],
        endpoints: tuple[str, ...],
        *,
        frozen: bool = False,
    ) -> dict[str, dict[str, np.ndarray]]:
        """Runs the models.

        Args:
            clips: batch by stream, as `prepare` gives it.
            endpoints: of `InceptionI3d.VALID_ENDPOINTS`; of clips of more than 320
                frames "Mixed_5c" and "Logits".
            frozen: run one graph with the weights as constants. It takes two seconds to
                make, which pays from the second clip on.

        Returns:
            For each stream its endpoints, float32 with the batch first.
        """
        if max(clips[stream].shape[1] for stream in self.models) > MAX_WHOLE:
            return self._run_long_batch(clips, endpoints)
        outputs = {}
        for stream in self.models:
            if not frozen:
                logging.info(
                    "Running %s on %d frames", title(stream), clips[stream].shape[1]
                )
            values = self._run(stream, endpoints, frozen)(clips[stream])
            outputs[stream] = {
                name: np.asarray(values[name], np.float32) for name in endpoints
            }
        return outputs

    def dense_streams(self, part: int) -> dict[str, DenseStream]:
        """A new stream of dense logits for each model.

        Args:
            part: frames that are run at once, as of `DenseStream`.
        """
        return {
            name: DenseStream(self._stream_graph(name, part)) for name in self.models
        }

    def long_models(self) -> dict[str, long_clips.LongClipModel]:
        """The models, for clips of any length that come frame by frame."""
        return {stream: self._long(stream) for stream in self.models}

    def _run_long_batch(self, clips, endpoints):
        found = []
        for number in range(len(clips[next(iter(self.models))])):
            of_clip = {name: clips[name][number] for name in self.models}
            counts = {name: len(stream) for name, stream in of_clip.items()}
            frames = (
                {n: f for n, f in zip(of_clip, each, strict=True) if f is not None}
                for each in itertools.zip_longest(*of_clip.values())
            )
            found.append(self._run_long(frames, counts, endpoints, 0).outputs)
        return {
            stream: {
                name: np.concatenate([outputs[stream][name] for outputs in found])
                for name in endpoints
            }
            for stream in self.models
        }

    def _run_long(self, streams, counts, endpoints, show):
        for stream, count in counts.items():
            logging.info("Running %s on %d frames in pieces", title(stream), count)
        return long_clips.run(self.long_models(), streams, counts, endpoints, show=show)

    def _prepare_long(self, stream):
        model = self.models[stream].endpoint_model(
            ["Mixed_5c", "Logits"], temporal="mean"
        )
        if self._dtype == "float32":
            return long_clips.LongClipModel(model)
        model = graph.fold_batch_norm(model, dtype=self._dtype)
        return long_clips.LongClipModel(model, prepare=graph.freeze)

    def _prepare_run(self, stream, endpoints, frozen):
        model = self.models[stream].endpoint_model(list(endpoints), temporal="mean")
        is_tensorflow = keras.backend.backend() == "tensorflow"
        if self._dtype == "float32" and not (frozen and is_tensorflow):
            return model
        return graph.freeze(graph.fold_batch_norm(model, dtype=self._dtype))
