"""Targets of training on several labels at once: for a clip, or for each frame."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..arguments import suggest_arguments
from .intervals import Interval, frames_touched, to_microseconds


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class Targets:
    """What a pipeline gives with each clip, instead of the index of its one label.

    Labels are cut together with the clip. Frames are those of the clip at 25 per
    second, also where RGB has one of several; frame k lasts until frame k + 1 begins,
    and a label holds in each frame that its interval touches. A clip without labels
    is all 0.

    Attributes:
        num_classes: number of classes.
        temporal: "dense" gives float32 `(frames, num_classes)`, 1 in the frames in
            which a label holds; "mean" gives `(num_classes,)`, 1 where it holds in any
            frame of the clip.

    Raises:
        ValueError: a value is out of range.

    Examples:
        >>> recipe = ClipRecipe(targets=Targets(157, "dense"))
        >>> for_training(read_charades(csv, videos), recipe, batch_size=8, seed=0)
    """

    num_classes: int
    temporal: str = "mean"

    def __post_init__(self):
        if self.num_classes < 1:
            raise ValueError(
                f"num_classes must be at least 1. Received: {self.num_classes}"
            )
        if self.temporal not in ("mean", "dense"):
            raise ValueError(
                'temporal must be "mean", one target for a clip, or "dense", one for '
                f"each frame. Received: {self.temporal!r}"
            )

    @property
    def is_dense(self) -> bool:
        """Whether there is a target for each frame."""
        return self.temporal == "dense"

    def shape(self, num_frames: int | None) -> tuple[int | None, ...]:
        """Shape of the targets of a clip of so many frames."""
        frames = (num_frames,) if self.is_dense else ()
        return (*frames, self.num_classes)

    def of_frames(
        self, intervals: Sequence[Interval], frames: np.ndarray, fps: float
    ) -> np.ndarray:
        """The labels that hold in each frame.

        Args:
            intervals: with seconds from frame 0 on.
            frames: int `(frames,)`, numbers of the frames at `fps`; those of a looped
                video come again.
            fps: frames per second.

        Returns:
            float32 `(frames, num_classes)` of 0 and 1.

        Raises:
            ValueError: the index of a label is not below `num_classes`.
        """
        times = np.asarray([to_microseconds(frame / fps) for frame in frames], np.int64)
        held = np.zeros((len(times), self.num_classes), np.float32)
        for interval in intervals:
            if not 0 <= interval.index < self.num_classes:
                raise ValueError(
                    f"the label {interval.index} is out of range: there are "
                    f"{self.num_classes} classes"
                )
            held[frames_touched(interval, times, fps), interval.index] = 1
        return held

    def of_clip(self, held: np.ndarray) -> np.ndarray:
        """The targets of a clip, of those of its frames.

        Args:
            held: `(frames, num_classes)`, of `of_frames`.

        Returns:
            float32, as `temporal` has it.
        """
        return held if self.is_dense else held.max(axis=0)
