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

    def scaled(self, width: float) -> "Conv":
        """The unit in a model of that width."""
        return self._replace(filters=scaled(self.filters, width))


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

    def scaled(self, width: float) -> "Mixed":
        """The block in a model of that width."""
        return self._replace(
            b0=scaled(self.b0, width),
            b1=tuple(scaled(filters, width) for filters in self.b1),
            b2=tuple(scaled(filters, width) for filters in self.b2),
            b3=scaled(self.b3, width),
        )

    def units(self) -> dict[str, int]:
        """Filters of its units, by their scope below the block's."""
        return {
            "Branch_0/Conv3d_0a_1x1": self.b0,
            "Branch_1/Conv3d_0a_1x1": self.b1[0],
            "Branch_1/Conv3d_0b_3x3": self.b1[1],
            "Branch_2/Conv3d_0a_1x1": self.b2[0],
            f"Branch_2/{self.b2_name}": self.b2[1],
            "Branch_3/Conv3d_0b_1x1": self.b3,
        }


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


# Frames of a clip per time step of the last block.
TIME_STRIDE = _total_stride(0)

# The trunk pads SAME, so an axis of n comes out as ceil(n / stride); these are the
# smallest inputs that still fill the window of the head: 9 frames, 193 pixels.
MIN_FRAMES = TIME_STRIDE * (HEAD_WINDOW[0] - 1) + 1
MIN_SIZE = _total_stride(1) * (HEAD_WINDOW[1] - 1) + 1


def scaled(filters: int, width: float) -> int:
    """Filters of a unit in a model of that width, at least 1."""
    return max(1, round(filters * width))


def unit_filters(width: float, rank: int = 3) -> dict[str, int]:
    """Filters of every unit of a trunk, by the unit's scope."""
    filters = {}
    for row in TRUNK:
        if isinstance(row, Conv):
            filters[row.name] = row.scaled(width).filters
        elif isinstance(row, Mixed):
            units = row.scaled(width).units()
            filters |= {f"{row.name}/{name}": count for name, count in units.items()}
    return {of_rank(name, rank): value for name, value in filters.items()}


def of_rank(name: str, rank: int) -> str:
    """Name of a layer of I3D in a network of that rank: Conv2d_1a_7x7, as TF-slim's."""
    return name.replace("3d", f"{rank}d")
