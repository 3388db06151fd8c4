"""The release's steps in order: whole, frame by frame, and their twin in TensorFlow."""

import functools
import itertools

import cv2
import numpy as np
import pytest

from kinetics_i3d_tf2.data import preprocessing, views
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.video import optical_flow, transforms

compute_flow = functools.partial(optical_flow.optical_flow, epsilon=0.05)


def recipe(stream, **changes):
    return ClipRecipe(stream, short_side=36, crop_size=24, **changes)


@pytest.fixture(scope="module")
def frames():
    """More frames than flow is computed of in one call."""
    texture = np.random.default_rng(0).integers(256, size=(9, 12, 3), dtype=np.uint8)
    scene = cv2.resize(texture, (120, 90), interpolation=cv2.INTER_CUBIC)
    return np.stack([scene[i : i + 54, 2 * i : 2 * i + 72] for i in range(20)])


def test_the_steps_of_the_release(frames):
    resized = transforms.resize_short_side(frames, 36)
    rgb = transforms.center_crop(resized, 24) / np.float32(127.5) - np.float32(1)
    displacement = transforms.center_crop(compute_flow(resized), 24)
    flow = np.clip(displacement, -20, 20) / np.float32(20)
    found = preprocessing.model_input(
        frames, recipe("joint"), compute_flow=compute_flow
    )
    assert list(found) == ["rgb", "flow"]
    for name, expected in (("rgb", rgb), ("flow", flow)):
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_frame_by_frame_is_the_same(frames, stream):
    options = recipe(stream), {"compute_flow": compute_flow}
    whole = preprocessing.model_input(frames, options[0], **options[1])
    parts = list(preprocessing.iter_streams(iter(frames), options[0], **options[1]))
    assert len(parts) == len(frames) - (stream != "rgb")
    for name in whole:
        part = np.stack([part[name] for part in parts])
        stacked = preprocessing.normalize({name: part})[name]
        np.testing.assert_array_equal(stacked, whole[name][: len(parts)])


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
@pytest.mark.parametrize("count", [5, 20], ids=["looped", "long enough"])
def test_views_are_its_twin_in_tensorflow(frames, stream, count):
    clip_recipe = recipe(stream, rgb_stride=2)
    options = {"compute_flow": compute_flow}
    expected = preprocessing.model_input(frames[:count], clip_recipe, **options)
    clip = preprocessing.whole_streams(frames[:count], clip_recipe, **options)
    found = views.normalize(views.cut(clip, 0, recipe=clip_recipe, views=None))
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


def test_flow_of_frames_as_they_come(frames):
    taken = itertools.count()

    def source():
        for frame in frames:
            next(taken)
            yield frame

    pairs = preprocessing.with_flow(source(), compute_flow)
    next(pairs)
    assert next(taken) == 17
    seen, displacements = zip(*pairs, strict=True)
    np.testing.assert_array_equal(seen, frames[1:])
    assert displacements[-1] is None
    np.testing.assert_array_equal(displacements[:-1], compute_flow(frames[1:]))


@pytest.mark.parametrize("count", [0, 1])
def test_few_frames(frames, count):
    pairs = list(preprocessing.with_flow(frames[:count], compute_flow))
    assert [displacement for _, displacement in pairs] == [None] * count
    assert not list(preprocessing.iter_streams(frames[:count], recipe("flow")))


def test_one_frame_has_no_flow(frames):
    with pytest.raises(ValueError, match="Optical flow needs at least two frames"):
        preprocessing.model_input(frames[:1], recipe("flow"))
    assert preprocessing.model_input(frames[:1], recipe("rgb"))["rgb"].shape[0] == 9
