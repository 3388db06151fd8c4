"""What holds, and what is scored, at equally spaced moments of a video.

Source: `Charades_v1_localize.m` of the Charades dataset, whose mean average precision
is over the moments of all videos.
"""

from collections.abc import Iterable

import numpy as np

from ..data.intervals import Interval
from ..models.dense import upsample_dense
from ..video.reader import FRAME_RATE

# Moments of a video at which Charades judges localisation.
NUM_MOMENTS = 25


def moments(length: float, count: int = NUM_MOMENTS) -> np.ndarray:
    """Equally spaced moments of a video: 0, length / count, ...

    Args:
        length: of the video, in seconds.
        count: how many.

    Returns:
        float64 `(count,)`, in seconds; the end is not among them.
    """
    return np.arange(count) / count * length


def labels_at(
    intervals: Iterable[Interval], seconds: np.ndarray, num_classes: int
) -> np.ndarray:
    """Which labels hold at some moments.

    Args:
        intervals: labels with their times; start and end both belong to an interval.
        seconds: float `(moments,)`.
        num_classes: number of classes.

    Returns:
        bool `(moments, num_classes)`.
    """
    held = np.zeros((len(seconds), num_classes), bool)
    for _, start, end, index in intervals:
        start = -np.inf if start is None else start
        end = np.inf if end is None else end
        held[(start <= seconds) & (seconds <= end), index] = True
    return held


def dense_at(logits: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Dense logits at some moments, as `upsample_dense` gives them.

    Args:
        logits: float `(places, num_classes)`.
        seconds: float `(moments,)`, from the first frame on.

    Returns:
        float32 `(moments, num_classes)`.
    """
    values = np.asarray(logits, np.float32)[None]
    return np.asarray(upsample_dense(values, seconds * FRAME_RATE))[0]


def windows_at(
    scores: np.ndarray, spans: np.ndarray, seconds: np.ndarray
) -> np.ndarray:
    """Scores of windows at some moments, linear between the middles of windows.

    Args:
        scores: float `(windows, num_classes)`.
        spans: float `(windows, 2)`, start and end of each in seconds, in order.
        seconds: float `(moments,)`; before the first middle and after the last, the
            score is theirs.

    Returns:
        float64 `(moments, num_classes)`.
    """
    middles = spans.mean(axis=1)
    return np.stack([np.interp(seconds, middles, column) for column in scores.T], 1)
