"""The preprocessing of clips as TensorFlow graphs, which check what they are fed.

As `transforms` and `flow` do it, for exported models: clips are `(batch, frames,
height, width, channels)`, all sizes free. A wrong input is an `InvalidArgumentError`
with the reason; TensorFlow's own kernels would fail later, and say less.
"""

import tensorflow as tf

from ..video.optical_flow import FLOW_BOUND

_PNG = b"\x89PNG\r\n\x1a\n"
_UNITS = {"rgb": "x / 127.5 - 1 of 0..255", "flow": "pixels / 20"}


def require(condition, message, received, value):
    """Passes a tensor on, when a condition holds.

    Args:
        condition: bool scalar tensor.
        message: what was expected; what was received is printed after it.
        received: tensor, or list of scalars.
        value: what is computed only when the condition holds.

    Returns:
        `value`; running the graph raises `InvalidArgumentError` otherwise.
    """
    check = tf.debugging.Assert(condition, [message, tf.stack(received)], summarize=10)
    with tf.control_dependencies([check]):
        return tf.identity(value)


def check_frames(frames, least):
    """Refuses what is no batch of RGB frames, of at least (frames, height, width)."""
    return _check_size(frames, "frames", least, 3)


def check_flow(flow, least):
    """Refuses what is no batch of displacements in pixels; may be short."""
    flow = _check_size(flow, "flow", (1, *least[1:]), 2)
    largest = tf.reduce_max(tf.abs(flow))  # NaN, if there is one.
    return require(
        tf.math.is_finite(largest),
        "flow: expected finite displacements in pixels. Received at most:",
        [largest],
        flow,
    )


def check_clip(clip, stream, sizes, channels, *, exactly=False):
    """Refuses what is not in the form and range that a stream's model takes.

    Args:
        clip: the clips.
        stream: its name.
        sizes: frames, height and width.
        channels: number of channels.
        exactly: whether `sizes` are what clips have, or the least.
    """
    clip = _check_size(clip, stream, sizes, channels, exactly=exactly)
    largest = tf.reduce_max(tf.abs(clip))
    return require(
        largest <= 1.001,  # A little is left for rounding; NaN is refused.
        f"{stream}: expected values in [-1, 1], {_UNITS[stream]}. Received at most:",
        [largest],
        clip,
    )


def decode(image_bytes, least, short_side):
    """Resized frames, uint8, of JPEG or PNG images `(batch, frames)` of one size."""
    min_frames, min_size, _ = least
    shape = _fed_shape(image_bytes)
    image_bytes = require(
        (tf.size(shape) == 2) & tf.reduce_all(_first(shape, 2) >= [1, min_frames]),
        f"image_bytes: expected at least one clip of {min_frames} images. Received "
        "(batch, frames):",
        shape,
        image_bytes,
    )
    flat = tf.reshape(image_bytes, [-1])
    is_image = tf.io.is_jpeg(flat) | (tf.strings.substr(flat, 0, len(_PNG)) == _PNG)
    flat = require(
        tf.reduce_all(is_image),
        "image_bytes: expected JPEG or PNG images. Of all, in order, these are not:",
        tf.where(~is_image)[:10, 0],
        flat,
    )
    first = tf.shape(_decode_image(flat[0]))
    first = require(
        tf.reduce_min(first[:2]) >= min_size,
        f"image_bytes: expected images of at least {min_size} pixels a side. Received "
        "(height, width, 3):",
        first,
        first,
    )

    def decode_one(content):
        image = _decode_image(content)
        size = tf.shape(image)
        image = require(
            tf.reduce_all(size == first),
            "image_bytes: expected images of one size. Received (height, width, 3), "
            "and of the first image:",
            [size, first],
            image,
        )
        return _resize_frame(image, short_side)

    return _unflatten(_map_frames(decode_one, flat, tf.uint8, 3), tf.shape(image_bytes))


def resize(frames, short_side):
    """As `transforms.resize_short_side`, within one grey level; uint8."""
    frames_only = tf.reshape(frames, tf.concat([[-1], tf.shape(frames)[2:]], 0))
    resized = _map_frames(
        lambda frame: _resize_frame(frame, short_side), frames_only, tf.uint8, 3
    )
    return _unflatten(resized, tf.shape(frames)[:2])


def resize_flow(flow, short_side):
    """Displacements, resized: half as large, things move half as far."""
    shape = tf.shape(flow)
    scale = tf.cast(short_side / tf.reduce_min(shape[2:4]), tf.float32)
    fields = tf.reshape(flow, tf.concat([[-1], shape[2:]], 0))
    resized = _map_frames(
        lambda field: _resize_bilinear(field, short_side) * scale, fields, tf.float32, 2
    )
    return _unflatten(resized, shape[:2])


def rgb_clip(frames, crop_size):
    """The range and size that the RGB stream takes, of resized uint8 frames."""
    return tf.cast(_center_crop(frames, crop_size), tf.float32) / 127.5 - 1


def flow_clip(flow, crop_size):
    """The range and size that the Flow stream takes, of resized displacements."""
    clip = _center_crop(flow, crop_size)
    return tf.clip_by_value(clip, -FLOW_BOUND, FLOW_BOUND) / FLOW_BOUND


def _fed_shape(value):
    """Shape at run time: servers feed what they are sent, traced for it or not."""
    # Of what passes through here, the graph's optimizer assumes no rank.
    return tf.shape(tf.raw_ops.PlaceholderWithDefault(input=value, shape=None))


def _first(shape, count):
    """Sizes of the first axes; 0 for those that are not there."""
    return tf.concat([shape, [0] * count], 0)[:count]


def _check_size(clip, name, sizes, channels, *, exactly=False):
    shape = _fed_shape(clip)
    fed = _first(shape, 5)
    fits = tf.reduce_all(fed >= [1, *sizes, channels])
    if exactly:
        fits &= tf.reduce_all(fed[1:4] == sizes)
    frames, height, width = sizes
    side = (
        f"{height} pixels a side" if height == width else f"{height} x {width} pixels"
    )
    return require(
        (tf.size(shape) == 5) & (fed[4] == channels) & fits,
        f"{name}: expected at least one clip of {frames} frames of {side} and "
        f"{channels} channels. Received (batch, frames, height, width, channels):",
        shape,
        clip,
    )


def _decode_image(content):
    # By default JPEG is decoded by a faster way, off by up to 11 of 255; this reads PNG
    # as well.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _map_frames(function, frames, dtype, channels):
    """One frame at a time, as its float32 form is four times larger."""
    kind = tf.TensorSpec((None, None, channels), dtype)
    return tf.map_fn(function, frames, fn_output_signature=kind)


def _unflatten(frames, shape):
    return tf.reshape(frames, tf.concat([shape, tf.shape(frames)[1:]], 0))


def _resize_frame(frame, short_side):
    return tf.cast(tf.floor(_resize_bilinear(frame, short_side) + 0.5), tf.uint8)


def _resize_bilinear(frame, short_side):
    """Half-pixel centres, no antialiasing; float32."""
    size = tf.cast(tf.shape(frame)[:2], tf.float64)
    scale = short_side / tf.reduce_min(size)
    return tf.image.resize(frame, tf.cast(tf.round(size * scale), tf.int32))


def _center_crop(clip, size):
    top, left = tf.unstack((tf.shape(clip)[2:4] - size) // 2)
    return clip[:, :, top : top + size, left : left + size]
