"""Runs of one label in scores over time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from .scores import Scores

THRESHOLD = 0.5
MIN_SECONDS = 1.0
# A segment goes on while its label has this share of the threshold.
HYSTERESIS = 0.5


class Segment(NamedTuple):
    """A part of a video in which a label has a high probability.

    Attributes:
        start: first second.
        end: last second.
        label: name of the class.
        index: index of the class.
        probability: mean over the segment's windows, in [0, 1].
    """

    start: float
    end: float
    label: str
    index: int
    probability: float


@suggest_arguments
def find_segments(
    scores: Sequence[Scores],
    *,
    threshold: float = THRESHOLD,
    hysteresis: float = HYSTERESIS,
    min_seconds: float = MIN_SECONDS,
) -> list[Segment]:
    """Finds the runs of each label in the windows of a video.

    Of the time that two windows share, each speaks for its own half. A
    run has a window of at least `threshold`, and extends to both sides over windows of
    at least `hysteresis * threshold`, so that a probability near the threshold does not
    cut it into pieces. Runs of different labels may overlap.

    Args:
        scores: of windows in order, as of `Classifier.over_time`.
        threshold: probability that begins a segment, in (0, 1].
        hysteresis: share of it that continues one, in (0, 1]; 1 has no hysteresis.
        min_seconds: shorter segments are left out.

    Returns:
        The segments, by their start, then by the index of the class.

    Raises:
        ValueError: a number is out of range.
    """
    for name, value in {"threshold": threshold, "hysteresis": hysteresis}.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name} must be in (0, 1]. Received: {value}")
    if min_seconds < 0:
        raise ValueError(f"min_seconds must be at least 0. Received: {min_seconds}")
    if not scores:
        return []
    probabilities = np.stack([window.probabilities for window in scores])
    borders = time_borders(scores)
    found = []
    for index in np.flatnonzero(probabilities.max(0) >= threshold):
        values = probabilities[:, index]
        for first, last in _runs(values >= threshold * hysteresis):
            start, end = borders[first], borders[last]
            is_high = values[first:last].max() >= threshold
            if is_high and end - start >= min_seconds - 1e-9:
                label = scores[0].class_names[index]
                mean = float(values[first:last].mean())
                found.append(Segment(start, end, label, int(index), mean))
    return sorted(found, key=lambda segment: (segment.start, segment.index))


def time_borders(scores: Sequence[Scores]) -> list[float]:
    """The seconds between which each window speaks.

    Args:
        scores: of windows in order; at least one.

    Returns:
        One more than windows: the first second, the middles of what neighbours share or
        of the gap between them, the last second.
    """
    times = np.array([window.seconds for window in scores])
    between = (times[1:, 0] + times[:-1, 1]) / 2
    return np.concatenate([[times[0, 0]], between, [times[-1, 1]]]).tolist()


def _runs(is_on):
    """Pairs (first, last + 1) of consecutive True values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_on.astype(np.int8), [0]])))
    return edges.reshape(-1, 2)
