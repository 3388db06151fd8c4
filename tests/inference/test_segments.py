"""Segments of hand-made scores."""

import re

import numpy as np
import pytest

from kinetics_i3d_tf2.inference.scores import Scores
from kinetics_i3d_tf2.inference.segments import find_segments

NAMES = ("rest", "jump", "wave")


def over_time(jump, *, length=2.0, stride=1.0):
    """Windows in which "jump" has these probabilities, and "rest" what is left."""
    for number, probability in enumerate(jump):
        values = np.array([1 - probability - 1e-6, probability, 1e-6])
        seconds = (number * stride, number * stride + length)
        yield Scores(np.log(values), NAMES, {}, seconds)


def spans(scores, label="jump", **options):
    found = find_segments(list(scores), **options)
    return [(s.start, s.end) for s in found if s.label == label]


@pytest.mark.parametrize(
    ("jump", "expected"),
    [
        # Windows of two seconds, one second apart: a window speaks for the second in
        # its middle, the first and the last also for the half beside.
        ([0.1, 0.9, 0.1, 0.1], [(1.5, 2.5)]),
        ([0.9, 0.1, 0.1, 0.9], [(0.0, 1.5), (3.5, 5.0)]),
        ([0.9, 0.9], [(0.0, 3.0)]),
        # Half of the threshold continues a segment to both sides, and begins none.
        ([0.3, 0.3, 0.9, 0.3, 0.2, 0.3], [(0.0, 4.5)]),
        ([0.1, 0.3, 0.1], []),
        # A segment is not cut in two by a window that is a little below.
        ([0.1, 0.6, 0.4, 0.6, 0.1], [(1.5, 4.5)]),
    ],
    ids=str,
)
def test_runs(jump, expected):
    assert spans(over_time(jump)) == expected


def test_without_hysteresis():
    jump = [0.1, 0.6, 0.4, 0.6, 0.1]
    assert spans(over_time(jump), hysteresis=1) == [(1.5, 2.5), (3.5, 4.5)]


def test_short_segments_are_left_out():
    jump = [0.1, 0.9, 0.1, 0.9, 0.9, 0.1]
    assert spans(over_time(jump), min_seconds=1.5) == [(3.5, 5.5)]


def test_labels_may_overlap_and_come_in_order():
    found = find_segments(list(over_time([0.5, 0.5, 0.5])), threshold=0.4)
    assert [(s.label, s.index) for s in found] == [("rest", 0), ("jump", 1)]
    assert [(s.start, s.end) for s in found] == [(0.0, 4.0)] * 2
    assert found[1].probability == pytest.approx(0.5)


def test_nothing_comes_of_nothing():
    assert find_segments([]) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, "threshold must be in (0, 1]. Received: 0"),
        ({"hysteresis": 1.5}, "hysteresis must be in (0, 1]. Received: 1.5"),
        ({"min_seconds": -1}, "min_seconds must be at least 0. Received: -1"),
    ],
    ids=str,
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        find_segments([], **options)
