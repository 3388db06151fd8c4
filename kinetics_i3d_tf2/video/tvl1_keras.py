"""TV-L1 optical flow in `keras.ops`: OpenCV's DualTVL1 for batches, on any device.

Inside, images are float32 `(2, batch, height, width)`, where the 2 are x and y, or the
first and the second frame: neighbouring pixels are then slices, which compilers fuse.
Heights, widths and batches may be unknown when a graph is traced.

Sums of floats have two terms: of more, TensorFlow's graphs make an AddN, whose order,
and so last bit, depends on which memory is free at the time.
"""

from keras import ops

from . import keras_images
from .tvl1_parameters import (
    EPSILON,
    INNER_ITERATIONS,
    LAMBDA,
    MIN_GRADIENT,
    MIN_SIDE,
    OUTER_ITERATIONS,
    SCALES,
    TAU,
    THETA,
    WARPS,
)

# OpenCV's weights of red, green and blue, in 2^-15.
GREY_WEIGHTS = (9798, 19235, 3735)


def grey(frames):
    """Grey values of RGB frames, to the bit those of `cv2.cvtColor`.

    Args:
        frames: uint8 RGB `(..., height, width, 3)` in 0..255, or whole numbers of
            that range in another dtype.

    Returns:
        float32 `(..., height, width)` in 0..255, whole numbers.

    Raises:
        ValueError: the last axis is not 3.
    """
    frames = ops.cast(ops.convert_to_tensor(frames), "int32")
    if len(frames.shape) < 3 or frames.shape[-1] != 3:
        raise ValueError(
            "Expected RGB frames (..., height, width, 3). "
            f"Received: shape {tuple(frames.shape)}"
        )
    parts = [frames[..., i] * weight for i, weight in enumerate(GREY_WEIGHTS)]
    return ops.cast((sum(parts) + 2**14) // 2**15, "float32")


def tvl1_flow(first, second, *, epsilon=EPSILON, pairs=None):
    """TV-L1 flow of pairs of frames, as OpenCV's DualTVL1 computes it.

    Each pair stops by its own convergence: its flow does not depend on the others, but
    for rounding, which may move the end of the iterations by one. Runs eagerly and in
    graphs of any, also unknown, sizes, with XLA or without.

    Args:
        first: grey frames `(batch, height, width)` in 0..255, of at least 16 pixels a
            side.
        second: the frames after them, of the same shape.
        epsilon: iterations stop when they change the flow by less, in pixels.
        pairs: how many pairs are computed at once; by default all. About 60 float32
            values a pixel are held for each.

    Returns:
        float32 `(batch, height, width, 2)`: displacement (dx, dy) in pixels, right
        and down, from `first` to `second`.

    Raises:
        ValueError: shapes that are not as above (sizes unknown in a graph are not
            checked), an epsilon of 0 or less, or less than one pair at once.

    Source: Zach, Pock and Bischof, 'A Duality Based Approach for Realtime TV-L1
    Optical Flow', 2007; the steps and parameters are those of OpenCV's.
    """
    first, second = (
        ops.cast(ops.convert_to_tensor(x), "float32") for x in (first, second)
    )
    _check(first, second, epsilon, pairs)
    frames = ops.stack([first, second])
    if pairs is None:
        return ops.moveaxis(_flow(frames, epsilon), 0, -1)
    _, batch, height, width = ops.shape(frames)
    if pairs > 1:
        pairs = ops.minimum(pairs, batch) if None in first.shape else min(pairs, batch)

    def chunk(start, flow):
        # The last chunk begins early enough to be whole.
        begin = ops.minimum(start, batch - pairs)
        part = ops.slice(frames, (0, begin, 0, 0), (2, pairs, height, width))
        part = ops.reshape(part, (2, pairs, height, width))  # Tells graphs of one pair.
        part = ops.moveaxis(_flow(part, epsilon), 0, -1)
        index = begin + ops.arange(pairs, dtype="int32")
        return start + pairs, ops.scatter_update(flow, index[:, None], part)

    flow = ops.zeros_like(ops.stack([first, second], axis=-1))
    return ops.while_loop(lambda start, _: start < batch, chunk, (0, flow))[1]


def _check(first, second, epsilon, pairs):
    shapes = tuple(first.shape), tuple(second.shape)
    sides = [side for shape in shapes for side in shape[1:] if side is not None]
    if [len(shape) for shape in shapes] != [3, 3] or min(sides, default=16) < MIN_SIDE:
        raise ValueError(
            "TV-L1 flow takes two batches of grey frames (batch, height, width) of at "
            f"least {MIN_SIDE} pixels a side. Received: shapes {shapes[0]} and "
            f"{shapes[1]}"
        )
    if any(None not in (a, b) and a != b for a, b in zip(*shapes, strict=True)):
        raise ValueError(
            "TV-L1 flow takes two batches of one shape. Received: "
            f"{shapes[0]} and {shapes[1]}"
        )
    if not 0 < epsilon < float("inf"):
        raise ValueError(f"epsilon must be above 0 pixels. Received: {epsilon}")
    if pairs is not None and pairs < 1:
        raise ValueError(f"pairs must be at least 1. Received: {pairs}")


def _flow(frames, epsilon):
    """Flow from coarse to fine, `(2, batch, height, width)`."""
    scales = [frames]
    for _ in range(SCALES - 1):
        height, width = ops.shape(scales[-1])[2:]
        size = (4 * height + 2) // 5, (4 * width + 2) // 5
        scales.append(keras_images.resize(scales[-1], size, ratio=(5, 4)))
    flow = ops.zeros_like(scales[-1])
    for frames in reversed(scales):
        if frames is not scales[-1]:
            flow = keras_images.resize(flow, ops.shape(frames)[2:]) * (5 / 4)
        flow = _refine(flow, frames, epsilon)
    return flow


def _refine(flow, frames, epsilon):
    """Goes on with the flow on one scale; on one that is too small, does nothing."""
    first, second = frames[0], frames[1]
    height, width = ops.shape(second)[1:]
    limit = epsilon**2 * ops.cast(height * width, "float32")
    warps = ops.where(ops.minimum(height, width) < MIN_SIDE, 0, WARPS)
    taps = keras_images.taps(second)

    def warp(count, flow, *dual):
        warped, slope = keras_images.warp(taps, flow)
        rest = (slope[0] * flow[0] + slope[1] * flow[1]) - (warped - first)
        scale = -1 / ops.maximum(slope[0] ** 2 + slope[1] ** 2, MIN_GRADIENT)
        data = slope, slope * scale, rest * scale
        return count + 1, *_iterate((flow, *dual), data, limit)

    dual = ops.zeros_like(flow)
    state = (0, flow, dual, dual)
    return ops.while_loop(lambda count, *_: count < warps, warp, state)[1]


def _iterate(state, data, limit):
    """Iterations of one warp; pairs whose flow has settled are left as they are."""
    slope, pull, rest = data
    alone = rest.shape[0] == 1

    def keep(active, after, before):
        # The loops end when the last pair has settled.
        return after if alone else ops.where(active[:, None, None], after, before)

    def unsettled(error, *_):
        return ops.any(error > limit)

    def outer(error, flow, *dual):
        flow = keep(error > limit, keras_images.median(flow), flow)
        state = error, flow, *dual
        return ops.while_loop(
            unsettled, inner, state, maximum_iterations=INNER_ITERATIONS
        )

    def inner(error, flow, dual_x, dual_y):
        active = error > limit
        step = (pull[0] * flow[0] + pull[1] * flow[1]) - rest
        step = ops.clip(step, -LAMBDA * THETA, LAMBDA * THETA)
        new = (flow + step * slope) - _convergence(dual_x, dual_y)
        change = ops.sum((new - flow) ** 2, axis=(2, 3))
        # The dual variables are OpenCV's times theta.
        x = TAU * _pad(new[..., 1:] - new[..., :-1], 3, (0, 1))
        y = TAU * _pad(new[..., 1:, :] - new[..., :-1, :], 2, (0, 1))
        shrink = 1 / (1 + ops.sqrt(x * x + y * y) / THETA)
        after = new, (dual_x + x) * shrink, (dual_y + y) * shrink
        before = flow, dual_x, dual_y
        state = (keep(active, a, b) for a, b in zip(after, before, strict=True))
        return ops.where(active, change[0] + change[1], error), *state

    # Any number above every limit.
    error = 1 + limit + ops.zeros_like(rest[:, 0, 0])
    state = error, *state
    settled = ops.while_loop(
        unsettled, outer, state, maximum_iterations=OUTER_ITERATIONS
    )
    return settled[1:]


def _convergence(dual_x, dual_y):
    x = _pad(dual_x[..., :-1], 3, (1, 0)) - dual_x
    y = _pad(dual_y[..., :-1, :], 2, (1, 0)) - dual_y
    return x + y


def _pad(images, axis, amount):
    return ops.pad(images, [amount if i == axis else (0, 0) for i in range(4)])
