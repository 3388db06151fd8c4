"""The I3D trunk as a table: inflated Inception-V1, one row an endpoint.

Source: figure 3 of "Quo Vadis, Action Recognition? A New Model and the Kinetics
Dataset" (Carreira and Zisserman, CVPR 2017) and the names of the 2017 release.
"""

from math import prod
from typing import NamedTuple


class Conv(NamedTuple):
    """Convolution unit with a cubic kernel: 3D convolution, batch norm, ReLU."""

    name: str
    filters: int
    kernel: int = 1
    stride: int = 1


class Pool(NamedTuple):
    """Max pooling; `window` and `strides` are (time, height, width)."""

    name: str
    window: tuple[int, int, int]
    strides: tuple[int, int, int]


class Mixed(NamedTuple):
    """Inception block: filters of the four branches, in concatenation order."""

    name: str
    b0: int
    b1: tuple[int, int]  # 1x1x1 reduction, 3x3x3
    b2: tuple[int, int]
    b3: int
    b2_name: str = "Conv3d_0b_3x3"


TRUNK: tuple[Conv | Pool | Mixed, ...] = (
    Conv("Conv3d_1a_7x7", 64, kernel=7, stride=2),
    Pool("MaxPool3d_2a_3x3", window=(1, 3, 3), strides=(1, 2, 2)),
    Conv("Conv3d_2b_1x1", 64),
    Conv("Conv3d_2c_3x3", 192, kernel=3),
    Pool("MaxPool3d_3a_3x3", window=(1, 3, 3), strides=(1, 2, 2)),
    Mixed("Mixed_3b", 64, (96, 128), (16, 32), 32),
    Mixed("Mixed_3c", 128, (128, 192), (32, 96), 64),
    Pool("MaxPool3d_4a_3x3", window=(3, 3, 3), strides=(2, 2, 2)),
    Mixed("Mixed_4b", 192, (96, 208), (16, 48), 64),
    Mixed("Mixed_4c", 160, (112, 224), (24, 64), 64),
    Mixed("Mixed_4d", 128, (128, 256), (24, 64), 64),
    Mixed("Mixed_4e", 112, (144, 288), (32, 64), 64),
    Mixed("Mixed_4f", 256, (160, 320), (32, 128), 128),
    Pool("MaxPool3d_5a_2x2", window=(2, 2, 2), strides=(2, 2, 2)),
    # Misnamed in the release; its checkpoints carry this spelling.
    Mixed("Mixed_5b", 256, (160, 320), (32, 128), 128, b2_name="Conv3d_0a_3x3"),
    Mixed("Mixed_5c", 384, (192, 384), (48, 128), 128),
)

# Window of the average pool before the classifier: (time, height, width), VALID.
HEAD_WINDOW = (2, 7, 7)

ENDPOINTS: tuple[str, ...] = (*(row.name for row in TRUNK), "Logits", "Predictions")


def _total_stride(axis: int) -> int:
    return prod(
        row.strides[axis] if isinstance(row, Pool) else row.stride
        for row in TRUNK
        if not isinstance(row, Mixed)
    )


# Frames of a clip to one place in time of the last block.
TIME_STRIDE = _total_stride(0)

# The trunk pads SAME, so an axis of n comes out as ceil(n / stride); these are the
# smallest inputs that still fill the window of the head: 9 frames, 193 pixels.
MIN_FRAMES = TIME_STRIDE * (HEAD_WINDOW[0] - 1) + 1
MIN_SIZE = _total_stride(1) * (HEAD_WINDOW[1] - 1) + 1
