"""Windows of a video, cut out of its frames as they come."""

import collections
import dataclasses
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments

TAILS = ("loop", "pad", "drop")


class Window(NamedTuple):
    """Some frames of a video that are seen together.

    Attributes:
        first: number of its first frame in the video.
        count: how many frames of the video it has; a completed one has fewer than
            there are in `clip`.
        clip: streams by name, each `(frames, ...)`.
    """

    first: int
    count: int
    clip: dict[str, np.ndarray]


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class Windows:
    """Which frames of a video are seen together.

    Attributes:
        length: frames of a window; 0 is the whole video as one.
        stride: frames from the beginning of a window to that of the next; by default
            `length`, so that each frame is in one.
        tail: what becomes of frames at the end that fill no window: "loop" repeats them
            from the first, "pad" repeats the last, "drop" leaves them out.
        least: frames to which a whole video is completed, if shorter.

    Raises:
        ValueError: a value is out of range.

    Examples:
        >>> frames = [{"rgb": np.zeros((224, 224, 3), "uint8")}] * 40
        >>> [(window.first, window.count) for window in Windows(16).cut(frames)]
        [(0, 16), (16, 16), (32, 8)]
    """

    length: int = 16
    stride: int | None = None
    tail: str = "loop"
    least: int = 1

    def __post_init__(self):
        if self.length < 0 or self.least < 1:
            raise ValueError(
                "A window has at least one frame, or 0 for those of the whole video. "
                f"Received: length={self.length}, least={self.least}"
            )
        if self.stride is not None and (self.stride < 1 or self.length == 0):
            raise ValueError(
                "stride must be at least 1, and None where a window is the whole video."
                f" Received: {self.stride} with windows of {self.length} frames"
            )
        if self.tail not in TAILS:
            raise ValueError(
                f"tail must be one of {', '.join(TAILS)}. Received: {self.tail!r}"
            )

    @property
    def step(self) -> int:
        """Frames from the beginning of a window to that of the next."""
        return self.stride or self.length

    def count(self, num_frames: int) -> int:
        """How many windows a video of so many frames gives."""
        if self.length == 0:
            return int(num_frames >= (self.least if self.tail == "drop" else 1))
        whole = max(0, (num_frames - self.length) // self.step + 1)
        return whole + (self.tail != "drop" and self._has_tail(whole, num_frames))

    def cut(self, frames: Iterable[dict[str, np.ndarray]]) -> Iterator[Window]:
        """Cuts the windows of a video; no more frames are held than are in one.

        Args:
            frames: of each, the streams by name.

        Yields:
            The windows, in order; none of a video without frames.
        """
        held = collections.deque()
        first = whole = total = 0
        for frame in frames:
            if total >= first:  # Between windows that are far apart, none is needed.
                held.append(frame)
            total += 1
            if len(held) == self.length:
                yield Window(first, self.length, _stack(held))
                whole += 1
                first += self.step
                for _ in range(min(self.step, self.length)):
                    held.popleft()
        if self.length == 0:
            yield from self._complete(0, held, self.least)
        elif self._has_tail(whole, total):
            yield from self._complete(first, held, self.length)

    def _has_tail(self, whole, num_frames):
        """Whether there are frames that are in none of the whole windows."""
        first = whole * self.step
        seen = first - self.step + self.length if whole else 0
        return num_frames > max(first, seen)

    def _complete(self, first, held, length):
        """Yields the last window, if there is one."""
        count = len(held)
        if count == 0 or (count < length and self.tail == "drop"):
            return
        places = np.arange(max(count, length))
        places = places % count if self.tail == "loop" else places.clip(max=count - 1)
        yield Window(first, count, {n: x[places] for n, x in _stack(held).items()})


def _stack(frames):
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
