"""What an exported model answers: TensorFlow functions of plain frames and clips.

The graphs hold the weights, the preprocessing and the names of the classes, so that
they need nothing of this package to run.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from . import clip_graphs, inference, tvl1
from .recipes import CHANNELS

_FEATURES = "Mixed_5c"
_FRAMES = tf.TensorSpec((None, None, None, None, 3), tf.uint8, "frames")


class Signatures:
    """The functions of one exported model.

    Args:
        models: `InceptionI3d` with its classifier by stream: "rgb", "flow" or both.
            Their weights are copied; batch norm is folded into the convolutions.
        class_names: names by index.
        top: how many classes an answer holds; all, when there are fewer.
        dtype: dtype policy of the models' trunks, "float32" or "bfloat16".
        epsilon: TV-L1's iterations stop when they change the flow by less, in pixels.
        pairs: pairs of frames whose flow is computed at once. One is fast on CPU, where
            more need memory alone; GPUs want dozens.

    Raises:
        ValueError: streams, classes or `top` are not as above.

    Example:
    >>> signatures = Signatures({"rgb": model}, class_names)
    >>> tf.saved_model.save(
    ...     tf.Module(), "served/1", signatures=signatures.concrete_functions()
    ... )
    """

    def __init__(
        self,
        models: dict[str, keras.Model],
        class_names: Sequence[str],
        *,
        top: int = 20,
        dtype: str = "float32",
        epsilon: float = tvl1.EPSILON,
        pairs: int = 1,
    ):
        counts = {stream: model.num_classes for stream, model in models.items()}
        if not models or not set(models) <= set(CHANNELS):
            raise ValueError(
                f"models are by stream: {', '.join(CHANNELS)}, or one of them. "
                f"Received: {', '.join(models) or 'none'}"
            )
        if set(counts.values()) != {len(class_names)} or top < 1:
            raise ValueError(
                "Models and class_names must be of the same classes, and top at least "
                f"1. Received: {counts}, {len(class_names)} names, top={top}"
            )
        self._run = {stream: _freeze(m, dtype) for stream, m in models.items()}
        # One graph for all signatures: that of optical flow is large.
        self._clips = tf.function(
            self._prepare, input_signature=[_FRAMES], jit_compile=False
        )
        self._class_names = list(class_names)
        self._top = min(top, len(class_names))
        self._epsilon = epsilon
        self._pairs = pairs

    def concrete_functions(self) -> dict[str, Callable]:
        """Traced functions by signature, with named inputs and outputs.

        Returns:
            `serving_default`: `frames`, uint8 RGB `(batch, frames, height, width, 3)`
                at 25 frames a second, at least 9 frames of 193 pixels a side. Answers
                with the top classes, best first, `(batch, top)`: `labels` (string),
                `probabilities` and `logits` (float32), `class_ids` (int32).
            `encoded_frames`: `image_bytes`, string `(batch, frames)`, JPEG or PNG
                images of one size; answers the same.
            `logits`: `rgb` and `flow`, or one of them, float32 `(batch, frames, height,
                width, 3 or 2)` in [-1, 1], as the model takes them. Answers with
                `logits`, float32 `(batch, num_classes)`.
            `features`: `frames` as above; answers for each stream with `Mixed_5c`
                averaged over time and space, float32 `(batch, 1024)`.
            `flow`, where there is that stream: `flow`, float32 `(batch, frames - 1,
                height, width, 2)`, displacement in pixels, and with an RGB stream the
                `frames` it is of; answers as `serving_default`.
        """
        images = tf.TensorSpec((None, None), tf.string, "image_bytes")
        clips = {
            stream: tf.TensorSpec((None,) * 4 + (CHANNELS[stream],), tf.float32, stream)
            for stream in self._run
        }
        functions = {
            "serving_default": _trace(self._classify, frames=_FRAMES),
            "encoded_frames": _trace(self._classify_images, image_bytes=images),
            "logits": _trace(self._logits_of_clips, **clips),
            "features": _trace(self._features, frames=_FRAMES),
        }
        if "flow" in self._run:
            given = {"frames": _FRAMES} if "rgb" in self._run else {}
            functions["flow"] = _trace(
                self._classify_with_flow, **given, flow=clips["flow"]
            )
        return functions

    def _classify(self, frames):
        frames = clip_graphs.resize(clip_graphs.check_frames(frames))
        return self._answer(self._logits(self._clips(frames)))

    def _classify_images(self, image_bytes):
        frames = clip_graphs.decode(image_bytes)
        return self._answer(self._logits(self._clips(frames)))

    def _classify_with_flow(self, flow, frames=None):
        flow = clip_graphs.check_flow(flow)
        clips = {}
        if frames is not None:
            frames = clip_graphs.check_frames(frames)
            sizes = tf.shape(frames)[:2], tf.shape(flow)[:2]
            frames = clip_graphs.require(
                tf.reduce_all(sizes[0] - sizes[1] == [0, 1]),
                "flow: expected the motion between neighbouring frames, one less than "
                "there are frames. Received (batch, frames), and of flow:",
                sizes,
                frames,
            )
            clips["rgb"] = clip_graphs.rgb_clip(clip_graphs.resize(frames))
        clips["flow"] = clip_graphs.flow_clip(clip_graphs.resize_flow(flow))
        return self._answer(self._logits(clips))

    def _logits_of_clips(self, **clips):
        clips = {
            stream: clip_graphs.check_clip(clip, stream, CHANNELS[stream])
            for stream, clip in clips.items()
        }
        if len(clips) > 1:
            batches = [tf.shape(clip)[0] for clip in clips.values()]
            clips["rgb"] = clip_graphs.require(
                batches[0] == batches[1],
                "expected as many clips of each stream. Received:",
                batches,
                clips["rgb"],
            )
        return {"logits": self._logits(clips)}

    def _features(self, frames):
        clips = self._clips(clip_graphs.resize(clip_graphs.check_frames(frames)))
        features = {}
        for stream, run in self._run.items():
            endpoint = tf.cast(run(clips[stream])[_FEATURES], tf.float32)
            features[stream] = tf.reduce_mean(endpoint, axis=(1, 2, 3))
        return features

    def _prepare(self, frames):
        """What each stream's model takes, of frames whose short side is 256."""
        make = {"rgb": clip_graphs.rgb_clip, "flow": self._computed_flow_clip}
        return {stream: make[stream](frames) for stream in self._run}

    def _computed_flow_clip(self, frames):
        grey = tvl1.grey(frames)
        batch, length, height, width = tf.unstack(tf.shape(grey))
        first, second = (
            tf.reshape(half, (-1, height, width))
            for half in (grey[:, :-1], grey[:, 1:])
        )
        flow = tvl1.tvl1_flow(first, second, epsilon=self._epsilon, pairs=self._pairs)
        flow = tf.reshape(flow, (batch, length - 1, height, width, 2))
        return clip_graphs.flow_clip(flow)

    def _logits(self, clips):
        """Joint logits are the sum of the two streams', with equal weight."""
        return tf.add_n([run(clips[s])["Logits"] for s, run in self._run.items()])

    def _answer(self, logits):
        best, indices = tf.math.top_k(logits, self._top)
        probabilities = tf.gather(tf.nn.softmax(logits), indices, batch_dims=1)
        return {
            "labels": tf.gather(tf.constant(self._class_names), indices),
            "probabilities": probabilities,
            "logits": best,
            "class_ids": indices,
        }


def _freeze(model, dtype):
    """One graph with both outputs; what a signature does not use is not computed."""
    outputs = model.endpoint_model([_FEATURES, "Logits"])
    return inference.freeze(inference.fold_batch_norm(outputs, dtype=dtype))


def _trace(function, **inputs):
    # XLA makes 3D convolutions slow on CPU, and servers may be built without it.
    return tf.function(function, jit_compile=False).get_concrete_function(**inputs)
