"""The clips of each architecture that the paper compares, in training and in its test.

Source of the counts: paper, table 1 (train and test input), at 25 frames a second.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import pipeline, views
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip

SIZE = 24


def small(kind, **changes):
    """The recipe of a model, with small pictures."""
    sizes = {"short_side": 36, "crop_size": SIZE}
    return dataclasses.replace(ClipRecipe.of_model(kind), **sizes, **changes)


def numbered_clip(num_frames):
    """Streams of a video of so many frames, each of whose pixels says its number."""
    streams = {}
    for name, channels, count in (("rgb", 3, num_frames), ("flow", 2, num_frames - 1)):
        numbers = np.arange(count, dtype=np.float32)[:, None, None, None]
        streams[name] = tf.constant(np.broadcast_to(numbers, (count, 36, 48, channels)))
    return streams


def numbers_of(stream):
    return np.asarray(stream)[:, 0, 0, 0].astype(int)


@pytest.mark.parametrize(
    ("kind", "seconds", "lengths"),
    [
        ("i3d", 2.56, {"rgb": 64}),
        ("convnet_lstm", 5, {"rgb": 25}),
        ("c3d", 0.64, {"rgb": 16}),
        ("two_stream", 0.4, {"rgb": 1, "flow": 10}),
        ("fused", 2, {"rgb": 5, "flow": 50}),
    ],
)
def test_training_input_is_the_papers(kind, seconds, lengths):
    recipe = ClipRecipe.of_model(kind)
    assert recipe.num_frames / 25 == seconds
    assert {name: recipe.length(name) for name in recipe.streams} == lengths
    assert (recipe.short_side, recipe.crop_size) == (
        (128, 112) if kind == "c3d" else (256, 224)
    )


@pytest.mark.parametrize(
    ("kind", "count", "lengths"),
    [
        ("i3d", 1, {"rgb": 250}),
        ("convnet_lstm", 1, {"rgb": 50}),
        ("c3d", 15, {"rgb": 16}),
        ("two_stream", 25, {"rgb": 1, "flow": 10}),
        ("fused", 5, {"rgb": 5, "flow": 50}),
    ],
)
def test_ten_seconds_are_seen_as_in_the_paper(kind, count, lengths):
    recipe = small(kind)
    clip = {name: numbered_clip(250)[name] for name in recipe.streams}
    options = {"recipe": recipe, "views": None}
    assert views.num_views(clip, **options) == count
    seen = [views.cut(clip, view, **options) for view in range(count)]
    for view in seen:
        assert {name: len(stream) for name, stream in view.items()} == lengths
    first = [numbers_of(view["rgb"])[0] for view in seen]
    assert first[0] == 0
    # From one end of the video to the other, with hardly any overlap.
    last = recipe.streams[-1]
    assert count == 1 or numbers_of(seen[-1][last])[-1] == len(clip[last]) - 1
    assert all(np.diff(first) >= recipe.num_frames - 1)


def test_flow_lies_between_the_frames_of_rgb():
    clip = numbered_clip(120)
    view = views.cut(clip, 1, recipe=small("fused"), views=None)
    assert numbers_of(view["rgb"]).tolist() == [69, 79, 89, 99, 109]
    assert numbers_of(view["flow"]).tolist() == list(range(69, 119))


@pytest.mark.parametrize(
    ("kind", "num_frames", "expected"),
    [
        ("c3d", 6, [*range(6), *range(6), 0, 1, 2, 3]),
        ("convnet_lstm", 12, [0, 5, 10]),
        ("convnet_lstm", 3, [0]),
        ("i3d", 6, [*range(6), 0, 1, 2]),
    ],
)
def test_short_videos(kind, num_frames, expected):
    clip = {"rgb": numbered_clip(num_frames)["rgb"]}
    view = views.cut(clip, 0, recipe=small(kind), views=None)
    assert numbers_of(view["rgb"]).tolist() == expected


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "a.mkv"
    frames = brightness_frames(50, (48, 36))
    return [Clip(str(write_video(path, frames, codec="ffv1")), "a", 0)]


def frame_numbers(clip):
    return np.round((clip.mean(axis=(1, 2, 3)) + 1) * 127.5 / 5).astype(int)


def test_strided_training_clips(video):
    recipe = small("convnet_lstm", num_frames=35)
    dataset = pipeline.for_training(video, recipe, batch_size=2, seed=0)
    ((clip, _),) = dataset.take(1)
    assert clip.shape == (2, 7, SIZE, SIZE, 3)
    for numbers in map(frame_numbers, clip.numpy()):
        assert (np.diff(numbers) == 5).all()
        assert 0 <= numbers[0] <= 15


def test_strided_training_clips_of_short_videos(video):
    recipe = small("convnet_lstm", num_frames=75)
    ((clip, _),) = pipeline.for_training(video, recipe, batch_size=1, seed=0).take(1)
    expected = [*range(0, 50, 5), *range(0, 25, 5)]
    assert frame_numbers(clip[0].numpy()).tolist() == expected


def test_both_streams_of_a_training_clip(video):
    recipe = small("fused", num_frames=12, rgb_stride=4)
    ((clip, _),) = pipeline.for_training(video, recipe, batch_size=1, seed=0).take(1)
    assert clip["rgb"].shape == (1, 3, SIZE, SIZE, 3)
    assert clip["flow"].shape == (1, 12, SIZE, SIZE, 2)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_evaluation_of_windows(video, batch_size):
    recipe = small("c3d")
    dataset = pipeline.for_evaluation(video, recipe, batch_size=batch_size)
    clips = np.concatenate([clip for clip, _ in dataset])
    assert clips.shape == (3, 16, SIZE, SIZE, 3)
    assert [frame_numbers(clip)[0] for clip in clips] == [0, 17, 34]


@pytest.mark.parametrize("name", ["num_frames", "rgb_stride", "min_frames"])
def test_bad_recipes(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1. Received: 0"):
        ClipRecipe(**{name: 0})
