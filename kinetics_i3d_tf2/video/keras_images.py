"""What `cv2.resize`, `cv2.remap` and `cv2.medianBlur` do to batches, in `keras.ops`.

Images are float32 `(2, batch, height, width)`; see `tvl1_keras`.
"""

from keras import ops

from .median_network import median_of_rows, sort_five
from .tvl1_parameters import CUBIC


def resize(images, size, *, ratio=None):
    """`cv2.resize`, linear; a ratio of steps is used instead of that of the sizes."""
    for axis, after in zip((2, 3), size, strict=True):
        before = ops.shape(images)[axis]
        step, steps = ratio or (before, after)
        # Pixels' centres in halves of 1 / steps: whole numbers, so exact.
        place = (2 * ops.arange(after, dtype="int32") + 1) * step - steps
        low = place // (2 * steps)
        share = ops.cast(place - low * (2 * steps), "float32")
        share = share / ops.cast(2 * steps, "float32")
        share = ops.reshape(share, (-1, 1) if axis == 2 else (-1,))
        near, far = (
            ops.take(images, ops.clip(low + i, 0, before - 1), axis) for i in (0, 1)
        )
        images = near * (1 - share) + far * share
    return images


def taps(images):
    """Values and both slopes of every four neighbours in a row, edged with zeros."""
    edged = ops.pad(images, [[0, 0], [1, 1], [1, 1]], mode="symmetric")
    slope_x = (edged[:, 1:-1, 2:] - edged[:, 1:-1, :-2]) / 2
    slope_y = (edged[:, 2:, 1:-1] - edged[:, :-2, 1:-1]) / 2
    values = ops.stack([images, slope_x, slope_y], axis=-1)
    values = ops.pad(values, [[0, 0], [4, 4], [4, 4], [0, 0]])
    return ops.concatenate([_shifted(values, i, 4, axis=2) for i in range(4)], axis=-1)


def warp(taps, flow):
    """`cv2.remap`, bicubic with zeros outside: values, and slopes as x and y."""
    batch, height, width = ops.shape(flow)[1:]
    x = flow[0] + ops.arange(width, dtype="float32")
    y = flow[1] + ops.arange(height, dtype="float32")[:, None]
    left, top = ops.floor(x), ops.floor(y)
    x_weights, y_weights = _cubic_weights(x - left), _cubic_weights(y - top)
    # Four pixels of zeros are around: from 3 outside on, all taps are zero.
    column = ops.clip(ops.cast(left, "int32") + 3, 0, width + 4)
    row = ops.clip(ops.cast(top, "int32") + 3, 0, height + 4)
    row = row + ops.arange(batch, dtype="int32")[:, None, None] * (height + 8)
    taps = ops.reshape(taps, (-1, 12))
    lines = [ops.take(taps, (row + i) * (width + 5) + column, axis=0) for i in range(4)]
    line = _interpolate(lines, y_weights)
    values = _interpolate([line[..., 3 * i : 3 * i + 3] for i in range(4)], x_weights)
    return values[..., 0], ops.moveaxis(values[..., 1:], -1, 0)


def _cubic_weights(share):
    """Weights of four neighbours; those of the outer two are to be taken away."""
    first, last = (CUBIC * t * (1 - t) ** 2 for t in (share, 1 - share))
    second, third = (
        ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1 for t in (share, 1 - share)
    )
    return -first, second, third, -last


def _interpolate(values, weights):
    first, second, third, last = (
        value * weight[..., None] for value, weight in zip(values, weights, strict=True)
    )
    return (second + third) - (first + last)


def median(images):
    """`cv2.medianBlur` of 5x5 pixels, edges repeated."""
    for _ in range(2):
        images = ops.pad(images, [[0, 0], [0, 0], [1, 1], [1, 1]], mode="symmetric")
    lines = [_shifted(images, i, 5, axis=2) for i in range(5)]
    lines = sort_five(lines, ops.minimum, ops.maximum)
    windows = ([_shifted(line, i, 5, axis=3) for i in range(5)] for line in lines)
    return median_of_rows(windows, ops.minimum, ops.maximum)


def _shifted(images, index, window, *, axis):
    """Values at one index of all windows along an axis.

    The slice has constant ends: with computed ones a graph is larger, and slower to
    trace and optimize.
    """
    ends = slice(index, index + 1 - window or None)
    return images[(slice(None),) * axis + (ends,)]
