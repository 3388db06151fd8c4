"""Scores by their formulas."""

import numpy as np
import pytest

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


def test_top_classes():
    scores = Scores(np.log([0.1, 0.6, 0.3]), ("a", "b", "c"))
    (first, second) = scores.top(2)
    assert (first[0], second[0]) == ("b", "c")
    np.testing.assert_allclose([first[1], second[1]], [0.6, 0.3])
    np.testing.assert_allclose(scores.probabilities.sum(), 1)
