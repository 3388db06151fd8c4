"""Scores by their formulas."""

import numpy as np
import pytest

from kinetics_i3d_tf2 import decode_predictions
from kinetics_i3d_tf2.inference.scores import Scores, joint_logits, softmax


def test_softmax_of_any_size():
    logits = np.array([[0.0, np.log(3)], [1000.0, 1000.0]])
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75], [0.5, 0.5]])
    assert softmax(logits.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("streams", "expected"),
    [({"rgb": [1, 2]}, [1, 2]), ({"rgb": [1, 2], "flow": [10, -1]}, [11, 1])],
    ids=["one", "both"],
)
def test_joint_logits_are_the_sum(streams, expected):
    streams = {name: np.array(values) for name, values in streams.items()}
    assert joint_logits(streams).tolist() == expected


def test_probabilities_of_each_class_by_itself():
    scores = Scores(np.log([1 / 3, 1, 3]), ("a", "b", "c"), activation="sigmoid")
    np.testing.assert_allclose(scores.probabilities, [0.25, 0.5, 0.75])
    assert [name for name, _ in scores.top(2)] == ["c", "b"]
    far = Scores(np.array([-1e4, 1e4]), ("a", "b"), activation="sigmoid")
    np.testing.assert_array_equal(far.probabilities, [0, 1])


def test_top_classes():
    scores = Scores(np.log([0.1, 0.6, 0.3]), ("a", "b", "c"))
    (first, second) = scores.top(2)
    assert (first[0], second[0]) == ("b", "c")
    np.testing.assert_allclose([first[1], second[1]], [0.6, 0.3])
    np.testing.assert_allclose(scores.probabilities.sum(), 1)


LOGITS = np.log(np.array([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]], np.float32)) + 7


@pytest.mark.parametrize(
    "values", [LOGITS, np.exp(LOGITS - 7)], ids=["logits", "softmax"]
)
def test_predictions_are_decoded(values):
    first, second = decode_predictions(values, top=2, class_names="abc")
    assert [name for name, _ in first] == ["b", "c"]
    assert [name for name, _ in second] == ["a", "b"]
    np.testing.assert_allclose([p for _, p in first], [0.6, 0.3], rtol=1e-5)
    np.testing.assert_allclose([p for _, p in second], [0.5, 0.25], rtol=1e-5)


def test_predictions_of_several_labels_are_decoded():
    logits = np.log(np.array([[1 / 3, 1, 3]], np.float32))
    for values in (logits, 1 / (1 + np.exp(-logits))):
        ((first, second),) = decode_predictions(values, 2, "abc", activation="sigmoid")
        assert (first[0], second[0]) == ("c", "b")
        np.testing.assert_allclose([first[1], second[1]], [0.75, 0.5], rtol=1e-5)


def test_names_of_kinetics_are_the_default():
    logits = np.zeros((1, 400), np.float32)
    logits[0, 227] = 9
    ((name, probability), *others) = decode_predictions(logits)[0]
    assert (name, len(others)) == ("playing cricket", 4)
    np.testing.assert_allclose(probability, np.exp(9) / (np.exp(9) + 399), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3),), r"add an axis .* predictions\[None\]. Received: \(3,\)"),
        ((np.zeros((1, 3)),), "names of 3 classes are unknown.*model.class_names"),
        ((np.zeros((1, 3)), 5, "ab"), "must be 3 names, one per class. Received: 2"),
        ((np.zeros((1, 3)), 0, "abc"), "k of at least 1"),
    ],
    ids=["one clip", "unknown names", "other names", "none"],
)
def test_predictions_that_cannot_be_decoded(arguments, message):
    with pytest.raises(ValueError, match=message):
        decode_predictions(*arguments)
