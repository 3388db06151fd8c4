"""Average precision against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from kinetics_i3d_tf2.utils.average_precision import (
    average_precision,
    precision_recall,
)


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(None, id="all scores differ"),
        pytest.param(3, id="many equal scores"),
        pytest.param(1, id="all scores equal"),
    ],
)
def test_equals_scikit_learn(levels):
    rng = np.random.default_rng(0)
    targets = rng.random((200, 6)) < [0.01, 0.1, 0.3, 0.5, 0.9, 1.0]
    targets[7] = True  # Every class is present.
    scores = rng.normal(size=targets.shape) + targets
    if levels:
        scores = np.clip(np.round(scores), 1 - levels, 0)
    expected = [
        average_precision_score(*pair) for pair in zip(targets.T, scores.T, strict=True)
    ]
    np.testing.assert_allclose(average_precision(scores, targets), expected, rtol=1e-12)


def test_by_hand():
    # Ranked: present, absent, present; precision 1 and 2/3 at the two hits.
    scores, targets = np.array([[0.9], [0.5], [0.1]]), np.array([[1], [0], [1]])
    np.testing.assert_allclose(average_precision(scores, targets), [(1 + 2 / 3) / 2])


def test_classes_that_are_nowhere_present_have_none():
    precision = average_precision(np.zeros((4, 2)), np.array([[0, 1]] * 4))
    np.testing.assert_array_equal(precision, [np.nan, 1])


def test_curves_equal_scikit_learn():
    rng = np.random.default_rng(1)
    targets, scores = rng.random(50) < 0.3, np.round(rng.random(50), 1)
    recall, precision = precision_recall(scores, targets)
    expected_precision, expected_recall, _ = precision_recall_curve(targets, scores)
    # Theirs begin with the lowest threshold, and end with a point of their own.
    np.testing.assert_allclose(precision, expected_precision[-2::-1])
    np.testing.assert_allclose(recall, expected_recall[-2::-1])
