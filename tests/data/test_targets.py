"""Labels with times, cut together with clips: hand-made cases."""

import math

import numpy as np
import pytest

from kinetics_i3d_tf2.data.intervals import Interval, check_interval
from kinetics_i3d_tf2.data.targets import Targets


def held(*intervals, frames=range(10), fps=25, num_classes=1):
    """Frames in which class 0 holds."""
    intervals = [i._replace(index=max(i.index, 0)) for i in intervals]
    targets = Targets(num_classes, "dense")
    values = targets.of_frames(intervals, np.array(frames), fps)
    assert values.dtype == np.float32
    return np.flatnonzero(values[:, 0]).tolist()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.08, 0.20, [2, 3, 4]),
        (0.0, 0.04, [0]),
        (None, 0.04, [0]),
        (0.30, None, [7, 8, 9]),
        (None, None, [*range(10)]),
        (0.10, 0.11, [2]),
        (0.10, 0.10, [2]),
        (0.12, 0.12, [3]),
        (0.36, 9.0, [9]),
        (0.40, 9.0, []),
        (-1.0, -0.5, []),
        (-1.0, 0.0, []),
        (-1.0, 0.01, [0]),
    ],
    ids=(
        "at frames|first|from the beginning|to the end|whole|within a frame|moment|"
        "moment at a frame|beyond the end|after the end|before|until frame 0|into it"
    ).split("|"),
)
def test_an_interval_labels_the_frames_that_it_touches(start, end, expected):
    assert held(Interval("a", start, end)) == expected


def test_intervals_overlap():
    first, second = Interval("a", 0.0, 0.16), Interval("a", 0.08, 0.24)
    assert held(first, second) == [0, 1, 2, 3, 4, 5]


def test_frames_of_a_looped_video_have_their_labels_again():
    assert held(Interval("a", 0.04, 0.08), frames=[0, 1, 2, 0, 1, 2, 0]) == [1, 4]


def test_times_are_those_of_the_frame_rate():
    assert held(Interval("a", 0.5, 1.0), fps=8, frames=range(16)) == [4, 5, 6, 7]


def test_seconds_of_a_file_become_those_of_its_clip():
    moved = Interval("a", 3.08, None, 2).since(3.0)
    assert moved == Interval("a", pytest.approx(0.08), None, 2)
    assert held(moved._replace(index=0))[0] == 2


@pytest.mark.parametrize("temporal", ["mean", "dense"])
def test_targets_of_a_clip_and_of_its_frames(temporal):
    targets = Targets(3, temporal)
    intervals = [Interval("b", 0.0, 0.04, 1), Interval("c", 0.0, 0.12, 2)]
    values = targets.of_frames(intervals, np.arange(4), 25)
    expected = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(values, expected)
    clip = targets.of_clip(values)
    assert clip.shape == targets.shape(4)
    np.testing.assert_array_equal(
        clip, expected if temporal == "dense" else expected.max(0)
    )


def test_a_label_out_of_range():
    with pytest.raises(
        ValueError, match="label 1 is out of range: there are 1 classes"
    ):
        held(Interval("b", index=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "at least 1"), ((3, "sum"), 'temporal must be "mean".*Received: .sum')],
    ids=["classes", "temporal"],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        Targets(*arguments)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ((2.0, 1.0), "a.csv, line 3: a label must not end before it starts"),
        ((-1.0, 1.0), "a.csv, line 3: seconds of a label must be at least 0"),
        ((None, math.nan), "must be at least 0 and finite"),
        ((0.0, math.inf), "leave them empty for the whole video"),
    ],
    ids=["reversed", "negative", "nan", "infinite"],
)
def test_bad_times_are_named_with_file_and_line(times, message):
    with pytest.raises(ValueError, match=message):
        check_interval(Interval("a", *times), "a.csv, line 3")
    check_interval(Interval("a", 1.0, 1.0), "a.csv, line 3")
