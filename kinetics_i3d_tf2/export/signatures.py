"""The signatures of an exported model: TensorFlow functions of frames and clips.

The graphs contain the weights, the preprocessing and the class names, so they run
without this package.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from ..data.clip_recipe import ClipRecipe
from ..data.tf_data import views
from ..models.architecture import TIME_STRIDE
from ..streams import CHANNELS
from ..video import tvl1_keras
from ..video.reader import FRAME_RATE
from . import preprocessing
from .frozen_models import FrozenModels

_FRAMES = tf.TensorSpec((None, None, None, None, 3), tf.uint8, "frames")


class Signatures:
    """The functions of one exported model.

    Args:
        models: models with their classifiers by stream: `InceptionI3d` of "rgb",
            "flow" or both, or one of `baselines`, of both streams as "joint". Their
            weights are copied; batch norm is folded into the convolutions.
        class_names: names by index.
        recipe: size and sampling of the clips that the models take.
        top: how many classes an answer holds; all, when there are fewer.
        dtype: dtype policy of the models' trunks, "float32" or "bfloat16".
        epsilon: TV-L1's iterations stop when they change the flow by less, in pixels.
        pairs: pairs of frames whose flow is computed at once. One is fast on CPU, where
            more need memory alone; GPUs want dozens.

    Raises:
        ValueError: streams, classes or `top` are not as above.

    Examples:
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
        recipe: ClipRecipe = ClipRecipe(),  # noqa: B008 It is immutable.
        top: int = 20,
        dtype: str = "float32",
        epsilon: float = tvl1_keras.EPSILON,
        pairs: int = 1,
    ):
        counts = {stream: model.num_classes for stream, model in models.items()}
        if set(models) not in ({"rgb"}, {"flow"}, {"rgb", "flow"}, {"joint"}):
            raise ValueError(
                "models are by stream: rgb, flow or both, or joint for one of both. "
                f"Received: {', '.join(models) or 'none'}"
            )
        if set(counts.values()) != {len(class_names)} or top < 1:
            raise ValueError(
                "Models and class_names must be of the same classes, and top at least "
                f"1. Received: {counts}, {len(class_names)} names, top={top}"
            )
        self._models = FrozenModels(models, dtype)
        self._streams = self._models.streams
        recipe = dataclasses.replace(
            recipe, stream="joint" if len(self._streams) > 1 else self._streams[0]
        )
        # One graph for all signatures: that of optical flow is large.
        self._clips = _graph(self._prepare, input_signature=[_FRAMES])
        self._class_names = list(class_names)
        self._recipe = recipe
        self._top = min(top, len(class_names))
        self._epsilon = epsilon
        self._pairs = pairs

    def concrete_functions(self) -> dict[str, Callable]:
        """Traced functions by signature, with named inputs and outputs.

        Returns:
            `serving_default`: `frames`, uint8 RGB `(batch, frames, height, width, 3)`
                at 25 frames a second; for I3D at least 9 frames of 193 pixels a side.
                Answers with the top classes, best first, `(batch, top)`: `labels`
                (string), `probabilities` and `logits` (float32), `class_ids` (int32).
                Where `recipe.windowed`, probabilities are the mean of all windows',
                and logits are their logarithm.
            `encoded_frames`: `image_bytes`, string `(batch, frames)`, JPEG or PNG
                images of one size; answers the same.
            `logits`: `rgb` and `flow`, or one of them, float32 `(batch, frames, height,
                width, 3 or 2)` in [-1, 1], as the model takes them. Answers with
                `logits`, float32 `(batch, num_classes)`.
            `features`, of I3D: `frames` as above; answers for each stream with
                `Mixed_5c` averaged over time and space, float32 `(batch, 1024)`.
            `dense`, of I3D: `frames` as above; answers with `logits` and
                `probabilities` at each place in time, `(batch, places, num_classes)`,
                and the `seconds` of their middles, float32 `(batch, places)`.
            `flow`, where there is that stream: `flow`, float32 `(batch, frames - 1,
                height, width, 2)`, displacement in pixels, and with an RGB stream the
                `frames` it is of; answers as `serving_default`.
        """
        images = tf.TensorSpec((None, None), tf.string, "image_bytes")
        clips = {
            stream: tf.TensorSpec((None,) * 4 + (CHANNELS[stream],), tf.float32, stream)
            for stream in self._streams
        }
        functions = {
            "serving_default": _trace(self._classify, frames=_FRAMES),
            "encoded_frames": _trace(self._classify_images, image_bytes=images),
            "logits": _trace(self._logits_of_clips, **clips),
        }
        if self._models.are_i3d:
            functions["features"] = _trace(self._features, frames=_FRAMES)
            functions["dense"] = _trace(self._dense, frames=_FRAMES)
        if "flow" in self._streams:
            given = {"frames": _FRAMES} if "rgb" in self._streams else {}
            functions["flow"] = _trace(
                self._classify_with_flow, **given, flow=clips["flow"]
            )
        return functions

    def _classify(self, frames):
        return self._answer(self._clips(self._resize(frames)))

    def _classify_images(self, image_bytes):
        frames = preprocessing.decode(
            image_bytes, self._models.least, self._recipe.short_side
        )
        return self._answer(self._clips(frames))

    def _classify_with_flow(self, flow, frames=None):
        flow = preprocessing.check_flow(flow, self._models.least)
        clips = {}
        if frames is not None:
            frames = preprocessing.check_frames(frames, self._models.least)
            sizes = tf.shape(frames)[:2], tf.shape(flow)[:2]
            frames = preprocessing.require(
                tf.reduce_all(sizes[0] - sizes[1] == [0, 1]),
                "flow: expected the motion between neighbouring frames, one less than "
                "there are frames. Received (batch, frames), and of flow:",
                sizes,
                frames,
            )
            frames = preprocessing.resize(frames, self._recipe.short_side)
            clips["rgb"] = preprocessing.rgb_clip(frames, self._recipe.crop_size)
        flow = preprocessing.resize_flow(flow, self._recipe.short_side)
        clips["flow"] = preprocessing.flow_clip(flow, self._recipe.crop_size)
        return self._answer(clips)

    def _logits_of_clips(self, **clips):
        return {"logits": self._models.logits(self._models.checked(clips))}

    def _features(self, frames):
        clips, _ = views.cut_all(self._clips(self._resize(frames)), self._recipe)
        return self._models.features(clips)

    def _dense(self, frames):
        clips, _ = views.cut_all(self._clips(self._resize(frames)), self._recipe)
        logits = self._models.dense_logits(clips)
        # A place is in the middle of two features of the last block.
        middles = tf.range(1, tf.shape(logits)[1] + 1) * TIME_STRIDE
        seconds = tf.cast(middles, tf.float32) / FRAME_RATE
        return {
            "logits": logits,
            "probabilities": self._probabilities(logits),
            # A server that batches requests splits every output.
            "seconds": tf.repeat(seconds[None], tf.shape(logits)[0], axis=0),
        }

    def _resize(self, frames):
        frames = preprocessing.check_frames(frames, self._models.least)
        return preprocessing.resize(frames, self._recipe.short_side)

    def _prepare(self, frames):
        """All frames of each stream, of resized frames of the video."""
        clips = {}
        if "rgb" in self._streams:
            clips["rgb"] = preprocessing.rgb_clip(frames, self._recipe.crop_size)
        if "flow" in self._streams:
            flow = self._compute_flow(frames)
            clips["flow"] = preprocessing.flow_clip(flow, self._recipe.crop_size)
        return clips

    def _compute_flow(self, frames):
        grey = tvl1_keras.grey(frames)
        batch, length, height, width = tf.unstack(tf.shape(grey))
        first, second = (
            tf.reshape(half, (-1, height, width))
            for half in (grey[:, :-1], grey[:, 1:])
        )
        flow = _tvl1_graph(self._epsilon, self._pairs)(first, second)
        return tf.reshape(flow, (batch, length - 1, height, width, 2))

    def _answer(self, clips):
        clips, count = views.cut_all(clips, self._recipe)
        logits = self._models.logits(clips)
        if self._recipe.windowed:
            logits = tf.reshape(logits, (-1, count, len(self._class_names)))
            logits = self._mean_of_windows(logits, count)
        best, indices = tf.math.top_k(logits, self._top)
        probabilities = tf.gather(self._probabilities(logits), indices, batch_dims=1)
        return {
            "labels": tf.gather(tf.constant(self._class_names), indices),
            "probabilities": probabilities,
            "logits": best,
            "class_ids": indices,
        }

    def _mean_of_windows(self, logits, count):
        """Logits of the mean of the windows' probabilities."""
        if self._models.activation == "softmax":
            total = tf.reduce_logsumexp(tf.nn.log_softmax(logits), axis=1)
            return total - tf.math.log(tf.cast(count, tf.float32))
        yes, no = (
            tf.reduce_logsumexp(tf.math.log_sigmoid(sign * logits), axis=1)
            for sign in (1.0, -1.0)
        )
        return yes - no

    def _probabilities(self, logits):
        if self._models.activation == "softmax":
            return tf.nn.softmax(logits)
        return tf.nn.sigmoid(logits)


@functools.cache
def _tvl1_graph(epsilon, pairs):
    """Optical flow of grey frames, whose large graph is traced once in a process."""

    def flow(first, second):
        return tvl1_keras.tvl1_flow(first, second, epsilon=epsilon, pairs=pairs)

    grey = tf.TensorSpec((None, None, None), tf.float32)
    return _graph(flow, input_signature=[grey, grey])


def _trace(function, **inputs):
    return _graph(function).get_concrete_function(**inputs)


def _graph(function, **options):
    # XLA makes 3D convolutions slow on CPU, and servers may be built without it.
    # AutoGraph, which nothing here needs, takes longer than tracing itself.
    return tf.function(function, autograph=False, jit_compile=False, **options)
