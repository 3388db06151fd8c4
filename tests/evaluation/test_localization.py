"""Moments of videos, and what holds and is scored there, by the rules of Charades."""

import numpy as np
import pytest

from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.evaluation import localization
from kinetics_i3d_tf2.models.dense import place_frames


def test_moments_are_those_of_charades():
    """timepoint(j) = (j - 1) * time / frames_per_video, for j = 1 to 25."""
    seconds = localization.moments(30.5)
    expected = [(j - 1) * 30.5 / 25 for j in range(1, 26)]
    np.testing.assert_allclose(seconds, expected)


@pytest.mark.parametrize(
    ("start", "end", "moments"),
    [
        pytest.param(1.0, 2.0, [1, 2], id="both ends belong to it"),
        pytest.param(1.5, 1.9, [], id="between moments"),
        pytest.param(3.0, 3.0, [3], id="of zero length"),
        pytest.param(None, 1.0, [0, 1], id="from the beginning"),
        pytest.param(23.0, None, [23, 24], id="to the end"),
        pytest.param(23.5, 99.0, [24], id="beyond the end"),
        pytest.param(40.0, 50.0, [], id="all beyond the end"),
        pytest.param(-3.0, 0.0, [0], id="before a clip cut out of its video"),
    ],
)
def test_labels_hold_within_their_intervals(start, end, moments):
    seconds = localization.moments(25.0)
    held = localization.labels_at([Interval("x", start, end, 1)], seconds, 3)
    assert np.flatnonzero(held[:, 1]).tolist() == moments
    assert not held[:, [0, 2]].any()


def test_overlapping_labels_hold_at_once():
    intervals = [Interval("a", 0, 2, 0), Interval("b", 1, 3, 1), Interval("a", 2, 3, 0)]
    held = localization.labels_at(intervals, np.arange(4.0), 2)
    assert held.tolist() == [[1, 0], [1, 1], [1, 1], [1, 1]]


def test_dense_logits_are_those_of_their_places():
    logits = np.arange(10, dtype=np.float32).reshape(5, 2) ** 2
    middles = place_frames(5) / 25
    np.testing.assert_allclose(localization.dense_at(logits, middles), logits)
    between = localization.dense_at(logits, (middles[:1] + middles[1:2]) / 2)
    np.testing.assert_allclose(between[0], (logits[0] + logits[1]) / 2)
    edges = localization.dense_at(logits, np.array([0.0, 99.0]))
    np.testing.assert_allclose(edges, logits[[0, -1]])


def test_windows_are_joined_by_lines_between_their_middles():
    scores = np.array([[0.0, 1.0], [1.0, 0.0]])
    spans = np.array([[0.0, 2.0], [1.0, 3.0]])
    at = localization.windows_at(scores, spans, np.array([0.0, 1.0, 1.25, 2.0, 9.0]))
    np.testing.assert_allclose(at[:, 0], [0, 0, 0.25, 1, 1])
    np.testing.assert_allclose(at[:, 1], 1 - at[:, 0])
