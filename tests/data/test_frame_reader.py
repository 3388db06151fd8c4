"""Videos and records read frame by frame."""

import numpy as np
import pytest

from kinetics_i3d_tf2.data import clip_reader, preprocessing
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.frame_reader import FrameReader


@pytest.mark.parametrize("kind", ["videos", "records"])
@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_frames_are_those_of_the_whole_clip(request, kind, stream):
    source = request.getfixturevalue(kind)[0]
    recipe = ClipRecipe(stream, short_side=36, crop_size=24)
    whole, _ = clip_reader.whole_clip(source, recipe)
    whole = preprocessing.center_crop(whole, 24)
    frames = list(FrameReader(recipe).read(source))
    assert len(frames) == 40 - (stream != "rgb")
    for name, clip in whole.items():
        found = np.stack([frame[name] for frame in frames])
        np.testing.assert_array_equal(found, clip[: len(frames)])


def test_span_and_rate_of_a_video(videos):
    reader = FrameReader(ClipRecipe("rgb", short_side=36, crop_size=24), fps=5)
    frames = list(reader.read(videos[0]._replace(start=0.4, end=1.2)))
    # Brightness is five times the number of the frame.
    levels = [round(frame["rgb"].mean() / 5) for frame in frames]
    assert levels == [10, 15, 20, 25]


@pytest.mark.parametrize("kind", ["videos", "records"])
@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_a_number_of_frames(request, kind, stream):
    source = request.getfixturevalue(kind)[0]
    recipe = ClipRecipe(stream, short_side=36, crop_size=24)
    whole = list(FrameReader(recipe).read(source))
    reader = FrameReader(recipe, skip=5, max_frames=10)
    expected = whole[5 : 15 - (stream != "rgb")]
    for received, frame in zip(reader.read(source), expected, strict=True):
        np.testing.assert_equal(received, frame)
    counts = {name: 10 - (name == "flow") for name in recipe.streams}
    assert reader.counts(source) == counts


@pytest.mark.parametrize("kind", ["videos", "records"])
@pytest.mark.parametrize("stream", ["rgb", "joint"])
def test_skipped_frames_change_no_other(request, kind, stream):
    source = request.getfixturevalue(kind)[0]
    recipe = ClipRecipe(stream, short_side=36, crop_size=24)
    whole = list(FrameReader(recipe).read(source))
    reader = FrameReader(recipe, skip=33)
    assert reader.count(source) == len(whole) - 33
    for received, expected in zip(reader.read(source), whole[33:], strict=True):
        np.testing.assert_equal(received, expected)
