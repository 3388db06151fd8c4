"""Memory of DualTVL1's kernels and its layout.

The state and the data are planes of pixels in flat arrays. Above each plane is a row of
zeros and right of it at least one column, so that a neighbour outside is 0 and a row is
a whole number of vectors. Columns beyond the image stay 0: there are no slopes and, by
`Buffers.right`, no differences across the edge.
"""

from typing import NamedTuple

import numpy as np

from ..tvl1_parameters import CUBIC, TAU
from .simd import LANES

# The state has two halves: u1, u2, p11, p12, p21, p22. The p are OpenCV's times theta.
HALF_PLANES = 6
# Slopes of the warped frame in x and y; -1 / (their squared length); the brightness
# difference without flow; the first frame.
DATA_PLANES = 5
# Pixels of zeros around a frame that is warped.
BORDER = 4
# Iterations of one pass at most.
MAX_TIMES = 8
# float32 values of a processor's cache line.
_LINE = 16


class Shape(NamedTuple):
    """Layout of a plane."""

    height: int
    columns: int
    width: int  # columns, rounded up to whole vectors
    stride: int  # from a row to the next
    plane: int  # from a plane to the next


class Buffers(NamedTuple):
    """What a thread works on; float32 and flat, `places` aside."""

    state: np.ndarray
    data: np.ndarray
    right: np.ndarray  # tau, or 0 for a pixel without a right neighbour
    ramp: np.ndarray  # 0, 1, 2 ...
    cubic: np.ndarray  # coefficients of bicubic weights, see `cubic_coefficients`
    taps: np.ndarray  # second frame, its slopes and 0, interleaved, edged with zeros
    rows: np.ndarray  # scratch of five rows
    places: np.ndarray  # int32, scratch of two rows
    errors: np.ndarray  # sums of squared changes, 16 lanes an iteration


def plane_shape(height: int, columns: int) -> Shape:
    """Layout of the planes of an image."""
    width = -(-columns // LANES) * LANES
    stride = -(-(columns + 1) // LANES) * LANES
    plane = (height + 2) * stride
    # Planes begin in different sets of a cache, a few lines apart.
    plane += (5 * _LINE - plane) % (64 * _LINE)
    return Shape(height, columns, width, stride, plane)


def allocate(height: int, columns: int) -> Buffers:
    """Buffers for images of this size or less."""
    shape = plane_shape(height, columns)
    right, ramp = _aligned(shape.stride), _aligned(shape.stride)
    ramp[:] = np.arange(shape.stride)
    cubic = _aligned(4 * LANES)
    cubic[:] = np.repeat(_cubic_coefficients(), 4, axis=1).ravel()
    return Buffers(
        state=_aligned(2 * HALF_PLANES * shape.plane),
        data=_aligned(DATA_PLANES * shape.plane),
        right=right,
        ramp=ramp,
        cubic=cubic,
        taps=_aligned((height + 2 * BORDER) * (columns + 2 * BORDER) * 4),
        rows=_aligned(5 * (shape.stride + 2 * LANES)),
        places=np.zeros(2 * shape.stride, np.int32),
        errors=_aligned(MAX_TIMES * LANES),
    )


def _aligned(size):
    values = np.zeros(size + _LINE, np.float32)
    start = -values.ctypes.data % (4 * _LINE) // 4
    return values[start : start + size]


def _cubic_coefficients():
    """Rows are powers of the share, columns the weights of the four neighbours."""
    a = CUBIC
    return np.array(
        [
            [0, 1, 0, 0],
            [a, 0, -a, 0],
            [-2 * a, -(a + 3), 2 * a + 3, a],
            [a, a + 2, -(a + 2), -a],
        ]
    )


def start_scale(first, flow, shape, buffers):
    """Fills buffers for a scale, but for its taps' values; the flow in half 0.

    Args:
        first: first frame, float32 `(height, columns)`.
        flow: two arrays of that shape, or None for no motion.
        shape: their `Shape`.
        buffers: `Buffers` that are large enough.

    Returns:
        View of the taps, `(height + 2 * BORDER, columns + 2 * BORDER, 4)`, zeros at
        the border.
    """
    buffers.state[: 2 * HALF_PLANES * shape.plane] = 0
    # Whatever else is beyond the image is multiplied by these slopes.
    buffers.data[: 2 * shape.plane] = 0
    buffers.right[:] = 0
    buffers.right[: shape.columns - 1] = TAU
    image(buffers.data, DATA_PLANES - 1, shape)[:] = first
    if flow is not None:
        for k in range(2):
            image(buffers.state, k, shape)[:] = flow[k]
    sides = shape.height + 2 * BORDER, shape.columns + 2 * BORDER, 4
    taps = buffers.taps[: np.prod(sides)].reshape(sides)
    taps[:BORDER] = taps[-BORDER:] = 0
    taps[:, :BORDER] = taps[:, -BORDER:] = 0
    return taps


def image(planes, index, shape):
    """View of a plane without its edges, `(height, columns)`."""
    start = index * shape.plane + shape.stride
    rows = planes[start : start + shape.height * shape.stride]
    return rows.reshape(shape.height, shape.stride)[:, : shape.columns]
