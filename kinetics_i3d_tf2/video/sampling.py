"""Decoded frames as RGB images, as they are stored or at a constant rate."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from .decoding import TimedFrame
from .rgb_converter import RgbConverter

# Time stamps are rounded: the end of the last frame, in frames, is not relied upon.
TOLERANCE = 0.1
# Longest time in seconds without a frame that is believed: slides in a recording stay
# long, but broken time stamps ask for hours of copies of one frame.
LONGEST_GAP = 600.0


def as_stored(
    decoded: Iterable[TimedFrame], start: float, end: float
) -> Iterator[np.ndarray]:
    """Yields the RGB image of each frame between two seconds, once."""
    to_rgb = RgbConverter()
    for frame in decoded:
        if frame.time >= end:
            return
        if frame.time >= start:
            yield to_rgb(frame)


def at_rate(
    name: str, decoded: Iterable[TimedFrame], start: float, end: float, fps: float
) -> Iterator[np.ndarray]:
    """Yields the RGB image that is nearest in time at each tick of a constant rate.

    Args:
        name: the video's, for errors.
        decoded: frames in the order of their times.
        start: second of the first tick.
        end: second before which the last tick is.
        fps: ticks per second.

    Yields:
        uint8 `(height, width, 3)`; a frame that is nearest twice, twice.

    Raises:
        ValueError: frames are more than ten minutes apart.
    """
    to_rgb = RgbConverter()
    count, wanted = 0, start
    for frame, until in _nearest(name, decoded, end, TOLERANCE / fps):
        if wanted >= until:
            continue
        image = to_rgb(frame)
        while wanted < min(until, end):
            yield image
            count += 1
            wanted = start + count / fps


def num_ticks(
    count: int, rate: float, fps: float, *, start: float = 0.0, end: float = math.inf
) -> int:
    """How many images `at_rate` takes of frames at a constant rate.

    Args:
        count: frames.
        rate: of the frames, per second.
        fps: ticks per second.
        start: second of the first tick.
        end: second before which the last tick is.
    """
    last = (count - 1 + max(1 - TOLERANCE * rate / fps, 0.5)) / rate
    return max(0, math.ceil((min(end, last) - start) * fps - 1e-6))


def nearest_frames(count: int, rate: float, fps: float) -> np.ndarray:
    """Which frames `at_rate` takes of frames at a constant rate.

    Args:
        count: frames, at least one.
        rate: of the frames, per second.
        fps: ticks per second.

    Returns:
        int64 `(ticks,)`, indices of frames.
    """
    ticks = np.arange(num_ticks(count, rate, fps))
    # Half-way between two frames, the later one is taken.
    nearest = np.floor(ticks * (rate / fps) + 0.5 + 1e-9).astype(np.int64)
    return np.minimum(nearest, count - 1)


def _nearest(name, decoded, end, tolerance):
    """Yields each frame with the second up to which it is the nearest one."""
    previous, since, lasts = None, 0.0, 0.0
    for frame in decoded:
        time = frame.time
        if previous is not None:
            time = max(time, since)  # Broken files go back in time.
            if time - since > LONGEST_GAP:
                raise ValueError(
                    f"{name}: is broken: its time stamps jump from second {since:.2f} "
                    f"to {time:.2f}"
                )
            yield previous, (since + time) / 2
        previous, since, lasts = frame, time, frame.duration
        if time >= end:
            break
    if previous is not None:
        # The last frame must not reach the next tick.
        yield previous, since + max(lasts - tolerance, lasts / 2)
