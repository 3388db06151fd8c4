"""Metrics on cases that can be counted by hand."""

import math

import numpy as np
import pytest

from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.evaluation import metrics

# Four clips of classes 0, 0, 1, 3 of four; class 2 has none.
TRUE = [0, 0, 1, 3]
RANKS = [1, 3, 1, 2]
PREDICTED = [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("scores", "label", "expected"),
    [
        ([0.1, 0.7, 0.2], 1, 1),
        ([0.1, 0.7, 0.2], 0, 3),
        ([5.0, 5.0, 5.0], 0, 1),
        ([5.0, 5.0, 5.0], 2, 3),
        ([1.0, 5.0, 5.0], 2, 2),
    ],
    ids=["best", "last", "equal-first", "equal-last", "equal-second"],
)
def test_rank(scores, label, expected):
    assert metrics.rank(scores, label) == expected


def test_rank_is_the_place_in_top_k():
    scores = np.random.default_rng(0).integers(0, 5, 30)  # Many are equal.
    order = labels.top_k(scores, 30).tolist()
    for label in range(30):
        assert metrics.rank(scores, label) == order.index(label) + 1


@pytest.mark.parametrize(("k", "expected"), [(1, 0.5), (2, 0.75), (3, 1), (5, 1)])
def test_top_k_accuracy(k, expected):
    assert metrics.top_k_accuracy(RANKS, k) == expected


def test_no_clips_have_no_accuracy():
    assert math.isnan(metrics.top_k_accuracy([], 1))
    assert np.isnan(metrics.per_class_accuracy([], [], 3)).all()
    assert metrics.confusion_matrix([], [], 3).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [0.5, 1, np.nan, 0]), (2, [0.5, 1, np.nan, 1])]
)
def test_per_class_accuracy(k, expected):
    found = metrics.per_class_accuracy(TRUE, RANKS, 4, k)
    np.testing.assert_array_equal(found, expected)


def test_confusion_matrix():
    assert metrics.confusion_matrix(TRUE, PREDICTED, 4).tolist() == [
        [1, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
    ]
