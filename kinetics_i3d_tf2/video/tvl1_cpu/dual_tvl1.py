"""DualTVL1 for a pair of frames: scales and warps around the kernels."""

import threading

import cv2
import numpy as np

from ..tvl1_parameters import (
    EPSILON,
    INNER_ITERATIONS,
    MIN_SIDE,
    OUTER_ITERATIONS,
    SCALES,
    WARPS,
)
from .buffers import HALF_PLANES, allocate, image, plane_shape, start_scale
from .iteration import outer_iteration
from .warp import fill_taps, warp

# Size of a scale in that of the next coarser one.
_FINER = np.float32(5 / 4)


class Stopped(Exception):
    """A flow was stopped before it was complete."""


class DualTVL1:
    """OpenCV's DualTVL1 for one pair of frames after the other.

    An iteration's arithmetic and the rule by which iterations stop are OpenCV's; sums
    are added in another order, so that an iteration more or less may be made. Results
    do not depend on other pairs or threads. Buffers, about 100 bytes a pixel, are kept
    for the next pair of the same size: each thread needs an object of its own.

    Args:
        epsilon: iterations stop when they change a pixel's flow by less on average, in
            pixels.

    Source: Zach, Pock and Bischof, 'A Duality Based Approach for Realtime TV-L1
    Optical Flow', 2007; steps and parameters are OpenCV's.
    """

    def __init__(self, *, epsilon: float = EPSILON):
        self.epsilon = epsilon
        self._size = None
        self._buffers = None

    def calc(
        self,
        first: np.ndarray,
        second: np.ndarray,
        *,
        stopped: threading.Event | None = None,
    ) -> np.ndarray:
        """Flow from one frame to the next.

        Args:
            first: grey frame `(height, width)` in 0..255, at least 16 pixels a side.
            second: the frame after it.
            stopped: checked every 30 iterations, so that another thread can end the
                computation.

        Returns:
            float32 `(height, width, 2)`: displacement (dx, dy) in pixels, right and
            down.

        Raises:
            Stopped: `stopped` was set.
        """
        if np.array_equal(first, second):  # As videos with repeated frames have.
            return np.zeros((*first.shape, 2), np.float32)
        if self._size != first.shape:
            self._buffers = allocate(*first.shape)
            self._size = first.shape
        scales = list(zip(_pyramid(first), _pyramid(second), strict=True))
        flow = None
        for frames in reversed(scales):
            flow = self._refine(*frames, flow, stopped)
        return np.stack(flow, axis=-1)

    def _refine(self, first, second, flow, stopped):
        """Flow on one scale, from that on the coarser one: two views of a buffer."""
        height, width = first.shape
        if flow is not None:
            flow = [cv2.resize(part, (width, height)) * _FINER for part in flow]
        shape, buffers = plane_shape(height, width), self._buffers
        fill_taps(second, start_scale(first, flow, shape, buffers))
        limit = self.epsilon**2 * height * width
        current = 0
        for _ in range(WARPS):
            warp(current, shape, buffers)
            for _ in range(OUTER_ITERATIONS):
                error = outer_iteration(
                    current, INNER_ITERATIONS, limit, shape, buffers
                )
                current = 1 - current
                if stopped is not None and stopped.is_set():
                    raise Stopped
                if error <= limit:
                    break
        first_plane = current * HALF_PLANES
        return [image(buffers.state, first_plane + k, shape) for k in range(2)]


def _pyramid(frame):
    """Scales of a frame, from fine to coarse."""
    scales = [frame.astype(np.float32)]
    while len(scales) < SCALES:
        coarser = cv2.resize(scales[-1], None, fx=1 / _FINER, fy=1 / _FINER)
        if min(coarser.shape) < MIN_SIDE:
            break
        scales.append(coarser)
    return scales


def is_compiled() -> bool:
    """Whether this process has the kernels' machine code."""
    return all(kernel.signatures for kernel in (fill_taps, warp, outer_iteration))


def compile_kernels() -> None:
    """Compiles the kernels, or reads them from Numba's cache on disk.

    The first time on a machine takes seconds, later times a fraction of one. Done by
    the first flow otherwise. The cache is in the package's `__pycache__`, or if that
    is not writable in the user's cache folder; NUMBA_CACHE_DIR sets another.
    """
    frame = np.zeros((MIN_SIDE, MIN_SIDE), np.float32)
    DualTVL1().calc(frame, frame + 1)
