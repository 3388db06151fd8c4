"""Targets of several labels are cut like the frames that they are of."""

import numpy as np
import pytest
import tensorflow as tf
from videos import brightness_frames, frame_numbers, write_video

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.data.targets import Targets
from kinetics_i3d_tf2.data.tf_data import pipeline

NUM_FRAMES = 40
# Frames in which each class holds; the last class holds nowhere.
HELD = ([*range(10, 20)], [*range(15, 40)], [*range(40)], [])
INTERVALS = (
    Interval("a", 0.4, 0.8, 0),
    Interval("b", 0.6, 99.0, 1),
    Interval("c", index=2),
)


def recipe(temporal="dense", **changes):
    fields = {"num_frames": 8, "short_side": 36, "crop_size": 24, **changes}
    return ClipRecipe(targets=Targets(len(HELD), temporal), **fields)


def targets_at(numbers):
    """Targets of frames, by their numbers."""
    return np.stack([np.isin(numbers, frames) for frames in HELD], -1).astype("f")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "a.mkv"
    frames = brightness_frames(NUM_FRAMES, (48, 36))
    return Clip(str(write_video(path, frames, codec="ffv1")), intervals=INTERVALS)


def training(sources, recipe, count=4, batch_size=4, **options):
    """Clips and targets, one after another."""
    batches = pipeline.for_training(
        sources, recipe, batch_size=batch_size, seed=3, **options
    )
    return [
        pair
        for clips, targets in batches.take(count)
        for pair in zip(rgb_of(clips), targets.numpy(), strict=True)
    ]


def rgb_of(clips):
    clips = clips["rgb"] if isinstance(clips, dict) else clips
    return clips.numpy()


@pytest.mark.parametrize("stream", ["rgb", "joint"])
def test_random_clips(clip, stream):
    for frames, targets in training([clip], recipe(stream=stream), count=2):
        assert targets.dtype == np.float32
        np.testing.assert_array_equal(targets, targets_at(frame_numbers(frames)))


def test_flow_has_those_of_the_same_clip(clip):
    """Starts and crops follow from the seed alone."""
    joint, flow = (
        [targets for _, targets in training([clip], recipe(stream=name), count=1)]
        for name in ("joint", "flow")
    )
    np.testing.assert_array_equal(joint, flow)


def test_of_a_whole_clip_those_of_any_frame(clip):
    for frames, targets in training([clip], recipe("mean")):
        np.testing.assert_array_equal(
            targets, targets_at(frame_numbers(frames)).max(axis=0)
        )


def test_with_a_stride_of_rgb_there_is_one_for_each_frame_between(clip):
    for frames, targets in training([clip], recipe(rgb_stride=3)):
        first = frame_numbers(frames)[0]
        assert len(frames) == 3
        np.testing.assert_array_equal(targets, targets_at(first + np.arange(8)))


def test_of_a_span_of_a_video(clip):
    span = clip._replace(start=0.52, end=0.92)  # Frames 13 to 22.
    for frames, targets in training([span], recipe()):
        numbers = frame_numbers(frames)
        assert 13 <= numbers[0] and numbers[-1] <= 22
        np.testing.assert_array_equal(targets, targets_at(numbers))


def test_a_looped_video_has_its_labels_again(clip):
    span = clip._replace(start=0.72, end=0.84)  # Frames 18 to 20.
    for frames, targets in training([span], recipe(), count=1):
        assert frame_numbers(frames).tolist() == [18, 19, 20, 18, 19, 20, 18, 19]
        np.testing.assert_array_equal(targets, targets_at(frame_numbers(frames)))


def test_one_label_holds_in_all_frames(clip):
    one = clip._replace(label="b", index=1, intervals=())
    for _, targets in training([one], recipe(), count=1):
        np.testing.assert_array_equal(targets, [[0, 1, 0, 0]] * 8)


def test_without_labels_all_are_absent(clip):
    for _, targets in training([clip._replace(intervals=())], recipe(), count=1):
        assert targets.shape == (8, 4) and not targets.any()


@pytest.mark.parametrize("temporal", ["mean", "dense"])
def test_views_in_evaluation(clip, temporal):
    views = pipeline.for_evaluation(
        [clip], recipe(temporal), views=(3, 1), batch_size=3
    )
    ((clips, targets),) = views
    for frames, found in zip(clips.numpy(), targets.numpy(), strict=True):
        expected = targets_at(frame_numbers(frames))
        np.testing.assert_array_equal(
            found, expected if temporal == "dense" else expected.max(axis=0)
        )


def test_whole_clips_in_evaluation(clip):
    ((_, targets),) = pipeline.for_evaluation([clip], recipe())
    np.testing.assert_array_equal(targets[0], targets_at(np.arange(NUM_FRAMES)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"1 clips have labels with times.*loss=sigmoid"),
        ({"targets": Targets(2)}, "the label 2 is out of range: there are 2 classes"),
    ],
    ids=["no targets", "too few classes"],
)
def test_labels_that_do_not_fit(clip, changes, message):
    with pytest.raises(ValueError, match=message):
        pipeline.for_training([clip], ClipRecipe(**changes), batch_size=1, seed=0)


def test_shapes_are_known_before_anything_is_read(clip):
    dataset = pipeline.for_training([clip], recipe(), batch_size=2, seed=0)
    assert dataset.element_spec[1] == tf.TensorSpec((2, 8, 4), tf.float32)


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
@pytest.mark.parametrize("num_frames", [8, 15, 60], ids=["even", "odd", "looped"])
def test_the_middle_view_is_cut_as_of_the_whole_clip(clip, stream, num_frames):
    """It is read alone."""
    small = recipe(stream=stream, num_frames=num_frames)
    whole = pipeline.for_evaluation([clip], small, views=(1, 2), batch_size=2)
    middle = pipeline.for_evaluation([clip], small, views=(1, 1))
    ((clips, targets),), ((clip, target),) = whole, middle
    np.testing.assert_array_equal(targets[0], target[0])
    if stream == "rgb":
        numbers = frame_numbers(clip[0].numpy())
        np.testing.assert_array_equal(numbers, frame_numbers(clips[0].numpy()))
        np.testing.assert_array_equal(target[0], targets_at(numbers))
