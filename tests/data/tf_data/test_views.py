"""What is seen of a clip, by each of the architectures that the paper compares."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from videos import brightness_frames, frame_numbers, write_video

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.tf_data import pipeline, views
from kinetics_i3d_tf2.video import transforms

SIZE = 24


def small(model, **changes):
    """The recipe of a model, with small pictures."""
    sizes = {"short_side": 36, "crop_size": SIZE}
    return dataclasses.replace(ClipRecipe.of_model(model), **sizes, **changes)


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


@pytest.mark.parametrize("batch_size", [1, 2])
def test_evaluation_of_windows(tmp_path, batch_size):
    frames = brightness_frames(50, (48, 36))
    path = write_video(tmp_path / "a.mkv", frames, codec="ffv1")
    dataset = pipeline.for_evaluation(
        [Clip(str(path), "a", 0)], small("c3d"), batch_size=batch_size
    )
    clips = np.concatenate([clip for clip, _ in dataset])
    assert clips.shape == (3, 16, SIZE, SIZE, 3)
    assert [frame_numbers(clip)[0] for clip in clips] == [0, 17, 34]


def test_the_range_is_that_of_normalize_rgb():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    found = views.normalize({"rgb": tf.constant(values)})["rgb"]
    np.testing.assert_allclose(found, transforms.normalize_rgb(values), atol=1e-6)
