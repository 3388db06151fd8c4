"""What an exported model answers: TensorFlow functions of plain frames and clips.

The graphs hold the weights, the preprocessing and the names of the classes, so that
they need nothing of this package to run. A wrong input is an `InvalidArgumentError`
with the reason; TensorFlow's own kernels would fail later, and say less.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from . import inference, tvl1
from .architecture import MIN_FRAMES, MIN_SIZE
from .flow import FLOW_BOUND
from .recipes import CHANNELS
from .transforms import CROP_SIZE, SHORT_SIDE

_FEATURES = "Mixed_5c"
_FRAMES = tf.TensorSpec((None, None, None, None, 3), tf.uint8, "frames")
_PNG = b"\x89PNG\r\n\x1a\n"


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
        return self._answer(self._logits(self._clips(_resize(_check_frames(frames)))))

    def _classify_images(self, image_bytes):
        return self._answer(self._logits(self._clips(_decode(image_bytes))))

    def _classify_with_flow(self, flow, frames=None):
        clips = {"flow": _flow_clip(_resize_flow(_check_flow(flow)))}
        if frames is not None:
            frames = _check_frames(frames)
            lengths = tf.shape(frames)[1], tf.shape(flow)[1]
            frames = _require(
                tf.reduce_any(lengths[0] - lengths[1] == tf.constant([0, 1])),
                "flow: expected the motion between neighbouring frames, one less than "
                "there are frames. Received frames and flow:",
                lengths,
                frames,
            )
            clips["rgb"] = _rgb_clip(_resize(frames))
        return self._answer(self._logits(clips))

    def _logits_of_clips(self, **clips):
        return {
            "logits": self._logits({s: _check_clip(c, s) for s, c in clips.items()})
        }

    def _features(self, frames):
        clips = self._clips(_resize(_check_frames(frames)))
        return {
            stream: tf.reduce_mean(
                tf.cast(run(clips[stream])[_FEATURES], tf.float32), axis=(1, 2, 3)
            )
            for stream, run in self._run.items()
        }

    def _prepare(self, frames):
        """What each stream's model takes, of frames whose short side is 256."""
        make = {"rgb": _rgb_clip, "flow": self._computed_flow_clip}
        return {stream: make[stream](frames) for stream in self._run}

    def _computed_flow_clip(self, frames):
        grey = tvl1.grey(frames)
        batch, length, height, width = tf.unstack(tf.shape(grey))
        first, second = (
            tf.reshape(half, (-1, height, width))
            for half in (grey[:, :-1], grey[:, 1:])
        )
        flow = tvl1.tvl1_flow(first, second, epsilon=self._epsilon, pairs=self._pairs)
        return _flow_clip(tf.reshape(flow, (batch, length - 1, height, width, 2)))

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


def _require(condition, message, received, value):
    """`value`, computed only when the condition holds."""
    check = tf.debugging.Assert(condition, [message, tf.stack(received)], summarize=10)
    with tf.control_dependencies([check]):
        return tf.identity(value)


def _check_size(clip, name, min_frames):
    shape = tf.shape(clip)
    return _require(
        tf.reduce_all(shape[:4] >= [1, min_frames, MIN_SIZE, MIN_SIZE]),
        f"{name}: expected at least one clip of {min_frames} frames of {MIN_SIZE} "
        "pixels a side. Received (batch, frames, height, width, channels):",
        shape,
        clip,
    )


def _check_frames(frames):
    return _check_size(frames, "frames", MIN_FRAMES)


def _check_flow(flow):
    flow = _check_size(flow, "flow", 1)
    largest = tf.reduce_max(tf.abs(flow))
    return _require(  # NaN is not finite either.
        tf.math.is_finite(largest),
        "flow: expected finite displacements in pixels. Received at most:",
        [largest],
        flow,
    )


def _check_clip(clip, stream):
    clip = _check_size(clip, stream, MIN_FRAMES)
    unit = {"rgb": "x / 127.5 - 1 of 0..255", "flow": "pixels / 20"}[stream]
    largest = tf.reduce_max(tf.abs(clip))
    return _require(
        largest <= 1 + 1e-3,
        f"{stream}: expected values in [-1, 1], {unit}. Received at most:",
        [largest],
        clip,
    )


def _decode(image_bytes):
    """Frames of JPEG or PNG images, uint8 `(batch, frames, h, w, 3)`, resized."""
    shape = tf.shape(image_bytes)
    image_bytes = _require(
        tf.reduce_all(shape >= [1, MIN_FRAMES]),
        f"image_bytes: expected at least one clip of {MIN_FRAMES} images. Received "
        "(batch, frames):",
        shape,
        image_bytes,
    )
    flat = tf.reshape(image_bytes, [-1])
    is_image = tf.io.is_jpeg(flat) | (tf.strings.substr(flat, 0, len(_PNG)) == _PNG)
    flat = _require(
        tf.reduce_all(is_image),
        "image_bytes: expected JPEG or PNG images. Of all, in order, these are not:",
        tf.where(~is_image)[:10, 0],
        flat,
    )
    first = tf.shape(_decode_image(flat[0]))

    def decode(content):
        image = _decode_image(content)
        size = tf.shape(image)
        image = _require(
            tf.reduce_all(size == first),
            "image_bytes: expected images of one size. Received (height, width, 3), "
            "and of the first image:",
            tf.stack([size, first]),
            image,
        )
        return image

    kind = tf.TensorSpec((None, None, 3), tf.uint8)
    images = tf.map_fn(decode, flat, fn_output_signature=kind)
    frames = tf.reshape(images, tf.concat([shape, tf.shape(images)[1:]], 0))
    return _resize(_check_frames(frames))


def _decode_image(content):
    # By default JPEG is decoded by a faster way, off by up to 11 of 255; this reads PNG
    # as well.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _resize(frames):
    """As `transforms.resize_short_side`, within one grey level."""
    resized = tf.floor(_resize_bilinear(frames, _new_size(frames)) + 0.5)
    return tf.cast(resized, tf.uint8)


def _resize_flow(flow):
    """Half as large, things move half as far."""
    shorter = tf.reduce_min(tf.shape(flow)[2:4])
    scale = tf.cast(SHORT_SIDE / shorter, tf.float32)
    return _resize_bilinear(flow, _new_size(flow)) * scale


def _new_size(clip):
    size = tf.cast(tf.shape(clip)[2:4], tf.float64)
    scale = SHORT_SIDE / tf.reduce_min(size)
    return tf.cast(tf.round(size * scale), tf.int32)


def _resize_bilinear(clip, size):
    """Half-pixel centres, no antialiasing; float32."""
    shape = tf.shape(clip)
    images = tf.reshape(clip, tf.concat([[-1], shape[2:]], 0))
    resized = tf.image.resize(images, size)
    return tf.reshape(resized, tf.concat([shape[:2], size, shape[4:]], 0))


def _center_crop(clip):
    top, left = tf.unstack((tf.shape(clip)[2:4] - CROP_SIZE) // 2)
    return clip[:, :, top : top + CROP_SIZE, left : left + CROP_SIZE]


def _rgb_clip(frames):
    return tf.cast(_center_crop(frames), tf.float32) / 127.5 - 1


def _flow_clip(flow):
    """Displacement in pixels to the Flow stream's range, short clips looped."""
    length = tf.shape(flow)[1]
    order = tf.range(tf.maximum(length, MIN_FRAMES)) % length
    clip = tf.gather(_center_crop(flow), order, axis=1)
    return tf.clip_by_value(clip, -FLOW_BOUND, FLOW_BOUND) / FLOW_BOUND
