"""Weights of classes: balanced, of a file, refused."""

import numpy as np
import pytest

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.data.records.tfrecord import Record
from kinetics_i3d_tf2.training import class_weights

ONE = [Clip("a.mp4", "x", index) for index in (0, 0, 0, 2)]
SEVERAL = [
    Clip("a.mp4", intervals=tuple(Interval("x", 0, 1, i) for i in indices))
    for indices in ((0, 0, 2), (0,), (0, 2), ())
]


def test_balanced_for_a_softmax_is_scikit_learns():
    """`compute_class_weight("balanced", classes=[0, 2], y=[0, 0, 0, 2])`, 3 classes."""
    weights = class_weights.balanced(ONE, 3, is_softmax=True)
    assert weights == pytest.approx((4 / 9, 1.0, 4 / 3))
    there = np.array(weights)[[0, 0, 0, 2]]
    assert there[:3].sum() == pytest.approx(there[3])  # Classes weigh the same.


def test_balanced_for_a_sigmoid_gives_both_sides_the_same_weight():
    """A label counts once a clip, however often it holds; 1 without clips."""
    weights = class_weights.balanced(SEVERAL, 3, is_softmax=False)
    assert weights == pytest.approx((1 / 3, 1.0, 1.0))


def test_records_hide_their_labels():
    with pytest.raises(ValueError, match="those of records are inside of them"):
        class_weights.balanced([Record("a", 0, 1)], 3, is_softmax=True)


@pytest.mark.parametrize(
    "weights", ["even", (1.0, 2.0), (1.0, 0.0, 2.0)], ids=["name", "count", "zero"]
)
def test_weights_out_of_range(weights):
    with pytest.raises(ValueError, match='"balanced", or a number above 0 for each of'):
        class_weights.check(weights, 3)


def test_a_file_of_weights(tmp_path):
    path = tmp_path / "weights.csv"
    path.write_text("class,weight\nb,2\nA,0.5\n")
    assert class_weights.read_class_weights(path, ("a", "b")) == (0.5, 2.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1\n", "has no weight of 1 classes, for example 'b'"),
        ("a,1\nb,2\na,3\n", "line 4: the class 'a' is listed twice"),
        ("a,1\nc,2\n", "line 3: 'c' is not one of the 2 classes"),
        ("a,1\nb,-2\n", "line 3: a weight is a number above 0. Received: '-2'"),
        ("a,1\nb,heavy\n", "line 3: a weight is a number above 0. Received: 'heavy'"),
    ],
    ids=["missing", "twice", "unknown", "negative", "no number"],
)
def test_malformed_files(tmp_path, rows, message):
    path = tmp_path / "weights.csv"
    path.write_text("class,weight\n" + rows)
    with pytest.raises(ValueError, match=message):
        class_weights.read_class_weights(path, ("a", "b"))
