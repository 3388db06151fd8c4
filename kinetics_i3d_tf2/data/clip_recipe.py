"""How videos become the clips that a model is trained or evaluated on."""

import dataclasses

from ..arguments import suggest_arguments
from ..models.architecture import MIN_FRAMES
from ..models.registry import ARCHITECTURES
from ..streams import STREAMS
from ..video.transforms import CROP_SIZE, SHORT_SIDE
from ..video.tvl1_parameters import EPSILON
from .read_options import ReadOptions
from .targets import Targets


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class ClipRecipe:
    """How videos become the clips that a model is trained or evaluated on.

    Attributes:
        stream: "rgb", "flow" or "joint".
        num_frames: frames of a training clip, and of a view in evaluation; at 25 a
            second, the time that it spans.
        rgb_stride: the RGB stream has one out of so many of those frames; flow has all.
        short_side: short side in pixels that frames are resized to.
        crop_size: side of the square that is cut out of them.
        flip: whether half of the training clips are mirrored.
        windowed: whether all of a video is seen as windows of `num_frames`, one after
            another; else at once.
        min_frames: frames that a video that is seen at once is looped to, if shorter.
        flow_engine: engine that computes flow of videos, as of `optical_flow`. The
            flow of all engines is the same up to rounding.
        flow_epsilon: TV-L1 stops when an iteration changes the flow by less, in pixels.
        max_damaged: share of the clips of a dataset that may turn out to be unreadable
            before that is an error.
        reading: limits on single videos and records, and the rate of images.
        targets: what pipelines give with a clip: several labels, for the clip or for
            each frame; None gives the index of its one label.

    Raises:
        ValueError: a value is out of range.

    Source: paper, section 2.5; training on 64 frames.
    """

    stream: str = "rgb"
    num_frames: int = 64
    rgb_stride: int = 1
    short_side: int = SHORT_SIDE
    crop_size: int = CROP_SIZE
    flip: bool = True
    windowed: bool = False
    min_frames: int = MIN_FRAMES
    flow_engine: str = "auto"
    flow_epsilon: float = EPSILON
    max_damaged: float = 0.1
    reading: ReadOptions = ReadOptions()
    targets: Targets | None = None

    def __post_init__(self):
        if self.stream not in STREAMS:
            raise ValueError(
                f"stream must be one of {', '.join(STREAMS)}. Received: {self.stream!r}"
            )
        for name in ("num_frames", "rgb_stride", "min_frames"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1. Received: {getattr(self, name)}"
                )
        if not 1 <= self.crop_size <= self.short_side:
            raise ValueError(
                "crop_size must be at least 1 and at most short_side "
                f"({self.short_side}). Received: {self.crop_size}"
            )
        if not 0 <= self.max_damaged <= 1:
            raise ValueError(
                f"max_damaged is a share, 0 to 1. Received: {self.max_damaged}"
            )

    @classmethod
    def from_json(cls, fields: dict) -> "ClipRecipe":
        """The recipe whose `dataclasses.asdict` are some fields."""
        values = fields | {"reading": ReadOptions(**fields["reading"])}
        if fields.get("targets"):
            values["targets"] = Targets(**fields["targets"])
        return cls(**values)

    @classmethod
    def of_model(cls, kind: str) -> "ClipRecipe":
        """The clips that an architecture is trained on.

        Args:
            kind: one of `models.registry.ARCHITECTURES`.
        """
        architecture = ARCHITECTURES[kind]
        return cls(stream=architecture.streams[0], **architecture.clip)

    @property
    def streams(self) -> tuple[str, ...]:
        """The one or two streams, RGB first."""
        return STREAMS[self.stream]

    def stride(self, stream: str) -> int:
        """Frames of the video to one of a stream."""
        return self.rgb_stride if stream == "rgb" else 1

    def length(self, stream: str) -> int:
        """Frames of a stream in a clip of training."""
        return -(-self.num_frames // self.stride(stream))
