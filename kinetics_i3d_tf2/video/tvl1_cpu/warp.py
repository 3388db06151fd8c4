"""Warping of DualTVL1 as Numba kernels: `cv2.remap`, bicubic with zeros outside."""

import numpy as np

from ..tvl1_parameters import MIN_GRADIENT
from .buffers import BORDER, HALF_PLANES
from .jit import inline, kernel
from .simd import (
    LANES,
    floor,
    lane,
    load,
    load_one,
    maximum,
    minimum,
    splat,
    store,
    store_integers,
    sum_quarters,
)

_MIN_GRADIENT = np.float32(MIN_GRADIENT)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_FIRST_TAP = np.float32(BORDER - 1)


@kernel
def fill_taps(frame, taps):
    """Writes a frame and its slopes in x and y to the middle of the taps.

    Args:
        frame: float32 `(height, width)`.
        taps: float32 `(height + 2 * BORDER, width + 2 * BORDER, 4)`.
    """
    height, width = frame.shape
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            tap = taps[y + BORDER, x + BORDER]
            tap[0] = frame[y, x]
            tap[1] = (frame[y, right] - frame[y, left]) * _HALF
            tap[2] = (frame[below, x] - frame[above, x]) * _HALF


@inline
def _neighbours(at, size, places, index):
    """Stores the first of four neighbours; how far the place is past the second."""
    whole = floor(at)
    first = maximum(whole + splat(_FIRST_TAP), splat(_ZERO))
    first = minimum(first, splat(np.float32(size + BORDER)))
    store_integers(places, index, first)
    return at - whole


@inline
def _locate(y, flow, shape, buffers):
    """Where a row's pixels moved: places of their taps, shares in x, weights in y."""
    rows, places, cubic = buffers.rows, buffers.places, buffers.cubic
    width = shape.width
    for x in range(0, width, LANES):
        i = (y + 1) * shape.stride + x
        at = load(buffers.state, flow + i) + load(buffers.ramp, x)
        store(rows, x, _neighbours(at, shape.columns, places, x))
        at = load(buffers.state, flow + i + shape.plane) + splat(np.float32(y))
        share = _neighbours(at, shape.height, places, x + width)
        for k in range(4):
            weight = splat(cubic[3 * LANES + 4 * k])
            for power in range(2, -1, -1):
                weight = weight * share + splat(cubic[power * LANES + 4 * k])
            store(rows, x + (k + 1) * width, weight)


@inline
def _interpolate(x, width, line, buffers):
    """Second frame and its slopes at the place where a pixel moved."""
    taps, rows, cubic = buffers.taps, buffers.rows, buffers.cubic
    column, row = buffers.places[np.uintp(x)], buffers.places[np.uintp(x + width)]
    tap = row * line + column * 4
    share = splat(load_one(rows, x))
    weights = load(cubic, 3 * LANES) * share + load(cubic, 2 * LANES)
    weights = weights * share + load(cubic, LANES)
    weights = weights * share + load(cubic, 0)
    value = load(taps, tap) * splat(load_one(rows, x + width))
    for k in range(1, 4):
        weight = splat(load_one(rows, x + (k + 1) * width))
        value = value + load(taps, tap + k * line) * weight
    return sum_quarters(value * weights)


@kernel
def warp(current, shape, buffers):
    """Warps the second frame by the flow: fills the data for its iterations.

    Args:
        current: half of the state with the flow, 0 or 1.
        shape: layout of the planes.
        buffers: the data are updated.
    """
    state, data = buffers.state, buffers.data
    width, plane = shape.width, shape.plane
    flow = current * HALF_PLANES * plane
    line = (shape.columns + 2 * BORDER) * 4
    for y in range(shape.height):
        _locate(y, flow, shape, buffers)
        row = (y + 1) * shape.stride
        for x in range(shape.columns):
            i = np.uintp(row + x)
            values = _interpolate(x, width, line, buffers)
            data[i] = lane(values, 1)
            data[i + np.uintp(plane)] = lane(values, 2)
            data[i + np.uintp(3 * plane)] = lane(values, 0)
        for i in range(row, row + width, LANES):
            slope_x, slope_y = load(data, i), load(data, i + plane)
            length = slope_x * slope_x + slope_y * slope_y
            scale = splat(-_ONE) / maximum(length, splat(_MIN_GRADIENT))
            u = i + flow
            moved = slope_x * load(state, u) + slope_y * load(state, u + plane)
            rest = (load(data, i + 3 * plane) - moved) - load(data, i + 4 * plane)
            store(data, i + 2 * plane, scale)
            store(data, i + 3 * plane, rest)
