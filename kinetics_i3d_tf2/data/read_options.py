"""How the videos and records of a dataset are read, and which are refused."""

import dataclasses
import math

from ..arguments import suggest_arguments
from ..video.damage import MAX_DAMAGED_FRAMES
from ..video.reader import FRAME_RATE

MAX_LONG_SIDE = 4096
MAX_CLIP_BYTES = 1 << 30
_RGB_BYTES = 3
_FLOW_BYTES = 8  # Two float32.


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """How videos and records are read, and which are refused.

    With the defaults, a process with 4 GiB of memory survives any input.

    Attributes:
        max_damaged_frames: share of a video's frames, 0 to 1, that may be damaged or
            missing.
        max_long_side: long side in pixels of resized frames; longer ones are refused.
        max_clip_bytes: size in bytes of the resized frames, and their flow, of a clip
            that is read whole; longer clips are refused.
        image_fps: frames per second of clips that are folders of images.

    Raises:
        ValueError: a value is out of range.
    """

    max_damaged_frames: float = MAX_DAMAGED_FRAMES
    max_long_side: int = MAX_LONG_SIDE
    max_clip_bytes: int = MAX_CLIP_BYTES
    image_fps: float = FRAME_RATE

    def __post_init__(self):
        if not 0 <= self.max_damaged_frames <= 1:
            raise ValueError(
                "max_damaged_frames is a share, 0 to 1. Received: "
                f"{self.max_damaged_frames}"
            )
        if self.max_long_side < 1 or self.max_clip_bytes < 1:
            raise ValueError(
                "max_long_side and max_clip_bytes must be at least 1. Received: "
                f"{self.max_long_side}, {self.max_clip_bytes}"
            )
        if not 0 < self.image_fps < math.inf:
            raise ValueError(
                f"image_fps must be greater than 0. Received: {self.image_fps}"
            )

    def check_frame(self, name: str, size: tuple[int, int], short_side: int) -> None:
        """Refuses frames that become too long when they are resized.

        Args:
            name: the clip's, for errors.
            size: width and height in pixels.
            short_side: short side after resizing.

        Raises:
            ValueError: the long side would exceed `max_long_side`.
        """
        width, height = _resized(size, short_side)
        if max(width, height) > self.max_long_side:
            raise ValueError(
                f"{name}: its frames of {size[0]}x{size[1]} pixels would be resized to "
                f"{width}x{height}, above max_long_side={self.max_long_side}"
            )

    def max_frames(
        self, size: tuple[int, int], short_side: int, *, has_flow: bool
    ) -> int:
        """Frames of a clip that is read whole, at most.

        Args:
            size: width and height of its frames in pixels.
            short_side: short side after resizing.
            has_flow: whether their flow is held, too.
        """
        width, height = _resized(size, short_side)
        pixel = _RGB_BYTES + _FLOW_BYTES * has_flow
        return self.max_clip_bytes // (width * height * pixel)

    def too_long(self, name: str, max_frames: int) -> ValueError:
        """The error of a clip of more than `max_frames` frames."""
        return ValueError(
            f"{name}: has more than the {max_frames} frames that fit into "
            f"max_clip_bytes={self.max_clip_bytes} ({self.max_clip_bytes >> 20} MiB); "
            "read a part of it, or raise max_clip_bytes (--max_clip_mib)"
        )


def _resized(size, short_side):
    scale = short_side / min(size)
    return round(size[0] * scale), round(size[1] * scale)
