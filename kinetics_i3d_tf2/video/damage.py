"""How much of a video is damaged or missing: counted alike for all containers."""

import dataclasses
from collections.abc import Callable

from absl import logging

# Share of a video's frames that may be damaged or missing before reading it fails.
MAX_DAMAGED_FRAMES = 0.1


@dataclasses.dataclass
class Damage:
    """Frames of one video that were not read as they were recorded.

    Attributes:
        decoded: frames that were decoded.
        damaged: frames whose data are broken, or that follow such a frame before the
            next key frame. FFmpeg decodes most of them, with visible faults.
        missing: frames that the file announces, or that lay in a part of it that could
            not be parsed, and that were not decoded.
        seconds: length that was decoded.
        announced: length that the file announces; 0 if it does not say.
        is_cut: whether the file ends before the end that its format marks.
        is_partial: whether it ends within a packet, in a format that marks no end; of
            what is missing there, one frame is counted.
        trailing: bytes after the end of the video, as of files that were joined.
        sound_after: seconds for which the sound goes on after the last frame, where the
            file announces no length and they are more than the streams may differ.
    """

    decoded: int = 0
    damaged: int = 0
    missing: int = 0
    seconds: float = 0.0
    announced: float = 0.0
    is_cut: bool = False
    is_partial: bool = False
    trailing: int = 0
    sound_after: float = 0.0

    def __bool__(self) -> bool:
        is_short = self.missing or self.is_cut or self.sound_after
        return bool(self.damaged or is_short or self.trailing)

    @property
    def share(self) -> float:
        """Share of the frames that are damaged or missing, 0 to 1.

        All, if the file is cut and nothing tells how much is missing.
        """
        if self.is_cut and not self.announced:
            return 1.0
        expected = max(self.decoded + self.missing, 1)
        return min(1.0, (self.damaged + self.missing) / expected)

    def counts(self) -> dict[str, int | bool]:
        """The counts for reports, as JSON's types."""
        is_early = self.is_cut or self.is_partial
        return {
            "decoded_frames": self.decoded,
            "damaged_frames": self.damaged,
            "missing_frames": self.missing,
            "is_truncated": is_early or self.seconds < self.announced,
            "trailing_bytes": self.trailing,
        }

    def __str__(self) -> str:
        parts = []
        if self.missing and self.seconds < self.announced:
            parts.append(
                f"is truncated: {self.seconds:.2f} of {self.announced:.2f} seconds are "
                "there"
            )
        elif self.is_cut:
            parts.append("is truncated: the end of the file is missing")
        elif self.is_partial:
            parts.append("is truncated: the file ends within a packet")
        if self.damaged or self.missing:
            parts.append(
                f"{self.damaged} frames are damaged and {self.missing} are missing of "
                f"{self.decoded + self.missing}"
            )
        if self.trailing:
            parts.append(f"{self.trailing} bytes follow the end of the video")
        if self.sound_after:
            parts.append(
                f"ends at second {self.seconds:.2f}, and its sound goes on for "
                f"{self.sound_after:.2f} seconds"
            )
        return "; ".join(parts) or "is whole"


def report(
    damage: Damage,
    name: str,
    *,
    max_damaged_frames: float = MAX_DAMAGED_FRAMES,
    on_damage: Callable[[Damage], None] | None = None,
) -> None:
    """Reports the damage of a video once: an error, a callback or a warning.

    Args:
        damage: of the part that was read.
        name: the video's, for messages.
        max_damaged_frames: share of the frames, 0 to 1, above which it is an error.
        on_damage: gets the damage, if there is any, instead of a warning.

    Raises:
        ValueError: the share is exceeded.
    """
    if not damage:
        return
    if damage.share > max_damaged_frames:
        raise ValueError(
            f"{name}: {damage}; that is more than max_damaged_frames="
            f"{max_damaged_frames:g} of the video. Raise it to read what is left, or "
            "read a span"
        )
    if on_damage is None:
        logging.warning("%s: %s", name, damage)
    else:
        on_damage(damage)
