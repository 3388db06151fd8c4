"""Recipes: what is done to the data, as immutable values."""

import dataclasses

from .transforms import CROP_SIZE, SHORT_SIDE

STREAMS = {"rgb": ("rgb",), "flow": ("flow",), "joint": ("rgb", "flow")}


@dataclasses.dataclass(frozen=True)
class ClipRecipe:
    """How videos become the clips that a model is trained or evaluated on.

    Attributes:
        stream: "rgb", "flow" or "joint".
        num_frames: frames of a training clip, and of a view in evaluation.
        short_side: short side in pixels that frames are resized to.
        crop_size: side of the square that is cut out of them.
        flip: whether half of the training clips are mirrored.
        max_damaged: share of the clips of a dataset that may turn out to be unreadable
            before that is an error.

    Raises:
        ValueError: a value is out of range.

    Source: paper, section 2.5; training on 64 frames.
    """

    stream: str = "rgb"
    num_frames: int = 64
    short_side: int = SHORT_SIDE
    crop_size: int = CROP_SIZE
    flip: bool = True
    max_damaged: float = 0.1

    def __post_init__(self):
        if self.stream not in STREAMS:
            raise ValueError(
                f"stream must be one of {', '.join(STREAMS)}. Received: {self.stream!r}"
            )
        if self.num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, not {self.num_frames}")
        if not 1 <= self.crop_size <= self.short_side:
            raise ValueError(
                "crop_size must be at least 1 and at most short_side "
                f"({self.short_side}). Received: {self.crop_size}"
            )
        if not 0 <= self.max_damaged <= 1:
            raise ValueError(
                f"max_damaged is a share, 0 to 1. Received: {self.max_damaged}"
            )

    @property
    def streams(self) -> tuple[str, ...]:
        """The one or two streams, RGB first."""
        return STREAMS[self.stream]
