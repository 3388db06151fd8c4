"""Labels with their times: what happens in a video, and when."""

import math
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments

NO_LABEL = -1
# Times are compared in whole microseconds, as records store them.
_MICROSECONDS = 1_000_000


@suggest_arguments
class Interval(NamedTuple):
    """A label, and the time of a video in which it holds; others may overlap it.

    Attributes:
        label: name of the class.
        start: first second, of the file; None is the beginning.
        end: last second; None is the end. An end beyond that of the video is that of
            the video. Equal to `start`, it is a moment, which is one frame long.
        index: index of the class.
    """

    label: str
    start: float | None = None
    end: float | None = None
    index: int = NO_LABEL

    def since(self, second: float) -> "Interval":
        """The interval in seconds after one of the file; before it, they are negative.

        Args:
            second: of the file, such as the start of a clip.
        """
        start, end = (t if t is None else t - second for t in (self.start, self.end))
        return self._replace(start=start, end=end)

    def microseconds(self) -> tuple[int, float]:
        """Start and end in whole microseconds: 0 for the beginning, inf for the end."""
        start = 0 if self.start is None else to_microseconds(self.start)
        end = math.inf if self.end is None else to_microseconds(self.end)
        return start, end


def to_microseconds(seconds: float) -> int:
    """Seconds as the nearest whole number of microseconds."""
    return round(seconds * _MICROSECONDS)


def check_interval(interval: Interval, place: str) -> None:
    """Checks the times of an interval that was read from a file.

    Args:
        interval: the interval.
        place: file and line, for the error.

    Raises:
        ValueError: a time is negative or not finite, or the end is before the start.
    """
    _, start, end, _ = interval
    times = [time for time in (start, end) if time is not None]
    if not all(0 <= time < math.inf for time in times):
        raise ValueError(
            f"{place}: seconds of a label must be at least 0 and finite; leave them "
            f"empty for the whole video. Received: {start}, {end}"
        )
    if len(times) == 2 and end < start:
        raise ValueError(
            f"{place}: a label must not end before it starts. Received: start {start}, "
            f"end {end}"
        )


def frames_touched(interval: Interval, times: np.ndarray, fps: float) -> np.ndarray:
    """Which frames an interval labels: those that it touches.

    A frame lasts from its time to that of the next at `fps`, without the latter. So an
    interval of any length labels at least one frame, unless it is beyond the end.

    Args:
        interval: the interval.
        times: int `(frames,)`, microseconds.
        fps: frames per second.

    Returns:
        bool `(frames,)`.
    """
    start, end = interval.microseconds()
    duration = to_microseconds(1 / fps)
    return (times + duration > start) & ((times < end) | (times <= start))
