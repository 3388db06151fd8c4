"""Iterations of DualTVL1 as Numba kernels; `buffers` describes their memory."""

import numpy as np

from ..tvl1_parameters import LAMBDA, TAU, THETA
from .buffers import DATA_PLANES, HALF_PLANES, MAX_TIMES
from .jit import inline, kernel
from .median import filter_median
from .simd import LANES, load, maximum, minimum, reciprocal_root, splat, store

# Bytes of the rows that one pass works on: part of a level-2 cache.
MAX_BYTES = 2**19

_MAX_STEP = np.float32(LAMBDA * THETA)
_TAU = np.float32(TAU)
_INVERSE_THETA = np.float32(1 / THETA)
# Keeps a root from being that of 0.
_TINY = np.float32(1e-24)


@inline
def _primal_row(i, k, source, target, shape, state, data, errors):
    """Updates the flow of a row, in the target, from the dual variables."""
    plane, stride = shape.plane, shape.stride
    low, high = splat(-_MAX_STEP), splat(_MAX_STEP)
    error = load(errors, k * LANES)
    for x in range(i, i + shape.width, LANES):
        u = x + target
        u1, u2 = load(state, u), load(state, u + plane)
        slope_x, slope_y = load(data, x), load(data, x + plane)
        scale, rest = load(data, x + 2 * plane), load(data, x + 3 * plane)
        step = ((slope_x * u1 + slope_y * u2) + rest) * scale
        step = minimum(maximum(step, low), high)
        p = x + source + 2 * plane
        d1 = load(state, p) - load(state, p - 1)
        p += plane
        d1 = step * slope_x + (d1 + (load(state, p) - load(state, p - stride)))
        p += plane
        d2 = load(state, p) - load(state, p - 1)
        p += plane
        d2 = step * slope_y + (d2 + (load(state, p) - load(state, p - stride)))
        store(state, u, u1 + d1)
        store(state, u + plane, u2 + d2)
        error = error + (d1 * d1 + d2 * d2)
    store(errors, k * LANES, error)


@inline
def _dual_step(u, below, source, target, plane, right, state):
    """Updates the dual variables of one component of the flow, 16 pixels."""
    here = load(state, u)
    x = right * (load(state, u + 1) - here)
    y = splat(_TAU) * (load(state, u + below) - here)
    root = reciprocal_root(x * x + (y * y + splat(_TINY)))
    # 1 / (1 + |(x, y)| / theta)
    shrink = root / (root + splat(_INVERSE_THETA))
    store(state, target, (load(state, source) + x) * shrink)
    store(state, target + plane, (load(state, source + plane) + y) * shrink)


@inline
def _dual_row(i, below, source, target, shape, state, right):
    """Updates the dual variables of a row from the flow and the row below."""
    plane = shape.plane
    for x in range(i, i + shape.width, LANES):
        share = load(right, x - i)
        u, p, q = x + target, x + source + 2 * plane, x + target + 2 * plane
        _dual_step(u, below, p, q, plane, share, state)
        u, p, q = u + plane, p + 2 * plane, q + 2 * plane
        _dual_step(u, below, p, q, plane, share, state)


@inline
def _sweep(times, source, target, shape, buffers):
    """Iterations in one pass over the rows, each a row behind the one before.

    The flow is in the target; so are the dual variables afterwards.
    """
    state, data, errors = buffers.state, buffers.data, buffers.errors
    stride, last = shape.stride, shape.height - 1
    errors[: times * LANES] = 0
    for step in range(last + times):
        for k in range(max(0, step - last), min(times, step + 1)):
            i = (step - k + 1) * stride
            _primal_row(i, k, source, target, shape, state, data, errors)
            if step > k:
                above = i - stride
                _dual_row(above, stride, source, target, shape, state, buffers.right)
            if step - k == last:
                _dual_row(i, 0, source, target, shape, state, buffers.right)


@inline
def _start(source, target, shape, buffers):
    """Filters the flow and makes the first iteration; leaves the source as it is."""
    for k in range(2):
        start = k * shape.plane + shape.stride
        filter_median(
            source + start, target + start, buffers.rows, buffers.state, shape
        )
    _sweep(1, source, target, shape, buffers)


@inline
def _error(errors, k):
    total = 0.0
    for i in range(k * LANES, (k + 1) * LANES):
        total += errors[i]
    return total


@kernel
def outer_iteration(current, count, limit, shape, buffers):
    """Filters the flow, then iterates until an iteration changes it by no more.

    A pass makes several iterations if the error would stay above the limit when it fell
    with the square of their number. If it fell faster, all iterations are made again,
    up to the one that reached the limit.

    Args:
        current: half of the state with flow and dual variables, 0 or 1. The other one
            holds them afterwards.
        count: most inner iterations, at least one.
        limit: sum of squared changes at which they stop.
        shape: layout of the planes.
        buffers: the state is updated.

    Returns:
        The sum of squared changes of the last iteration.
    """
    half = HALF_PLANES * shape.plane
    source, target = current * half, (1 - current) * half
    most = MAX_BYTES // (4 * (HALF_PLANES + DATA_PLANES - 1) * shape.stride)
    most = max(1, min(most, MAX_TIMES))
    _start(source, target, shape, buffers)
    error = _error(buffers.errors, 0)
    done = 1
    while done < count and error > limit:
        times = done * (np.sqrt(error / max(limit, 1e-30)) - 1)
        times = max(1, int(min(times, most, count - done)))
        _sweep(times, target, target, shape, buffers)
        last = 0
        while last < times - 1 and _error(buffers.errors, last) > limit:
            last += 1
        error = _error(buffers.errors, last)
        done += last + 1
        if last < times - 1:
            _start(source, target, shape, buffers)
            for first in range(1, done, most):
                again = min(most, done - first)
                _sweep(again, target, target, shape, buffers)
    return error
