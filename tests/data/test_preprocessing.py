"""The release's steps in order: whole, frame by frame, and their twin in TensorFlow."""

import itertools

import cv2
import numpy as np
import pytest

from kinetics_i3d_tf2.data import preprocessing
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.tf_data import views
from kinetics_i3d_tf2.video import optical_flow, transforms

EPSILON = 0.05


def compute_flow(frames):
    return optical_flow.optical_flow(frames, epsilon=EPSILON)


def recipe(stream, **changes):
    sizes = {"short_side": 36, "crop_size": 24}
    return ClipRecipe(stream, flow_epsilon=EPSILON, **sizes, **changes)


@pytest.fixture(scope="module")
def frames():
    texture = np.random.default_rng(0).integers(256, size=(9, 12, 3), dtype=np.uint8)
    scene = cv2.resize(texture, (120, 90), interpolation=cv2.INTER_CUBIC)
    return np.stack([scene[i : i + 54, 2 * i : 2 * i + 72] for i in range(20)])


def test_the_steps_of_the_release(frames):
    resized = transforms.resize_short_side(frames, 36)
    rgb = transforms.center_crop(resized, 24) / np.float32(127.5) - np.float32(1)
    displacement = transforms.center_crop(compute_flow(resized), 24)
    flow = np.clip(displacement, -20, 20) / np.float32(20)
    found = preprocessing.model_input(frames, recipe("joint"))
    assert list(found) == ["rgb", "flow"]
    for name, expected in (("rgb", rgb), ("flow", flow)):
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_frame_by_frame_is_the_same(frames, stream):
    clip_recipe = recipe(stream)
    whole = preprocessing.model_input(frames, clip_recipe)
    parts = list(preprocessing.iter_streams(iter(frames), clip_recipe))
    assert len(parts) == len(frames) - (stream != "rgb")
    for name in whole:
        part = np.stack([part[name] for part in parts])
        stacked = preprocessing.normalize({name: part})[name]
        np.testing.assert_array_equal(stacked, whole[name][: len(parts)])


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
@pytest.mark.parametrize("count", [5, 20], ids=["looped", "long enough"])
def test_views_are_its_twin_in_tensorflow(frames, stream, count):
    clip_recipe = recipe(stream, rgb_stride=2)
    expected = preprocessing.model_input(frames[:count], clip_recipe)
    clip = preprocessing.whole_streams(frames[:count], clip_recipe)
    found = views.normalize(views.cut(clip, 0, recipe=clip_recipe, views=None))
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


def test_flow_of_frames_as_they_come(frames):
    """Few frames are taken ahead; the last has no flow."""
    taken = itertools.count()

    def source():
        for frame in frames:
            next(taken)
            yield frame

    pairs = preprocessing.resized_with_flow(source(), recipe("joint"), num_threads=1)
    next(pairs)
    assert next(taken) <= 4
    seen, displacements = zip(*pairs, strict=True)
    resized = transforms.resize_short_side(frames, 36)
    np.testing.assert_array_equal(seen, resized[1:])
    assert displacements[-1] is None
    np.testing.assert_array_equal(displacements[:-1], compute_flow(resized[1:]))


def test_frames_without_flow(frames):
    pairs = list(preprocessing.resized_with_flow(iter(frames), recipe("rgb")))
    resized = transforms.resize_short_side(frames, 36)
    np.testing.assert_array_equal([frame for frame, _ in pairs], resized)
    assert {displacement for _, displacement in pairs} == {None}


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_frames_for_flow(frames, count):
    message = f"Optical flow needs at least two frames.*Received: {count}"
    with pytest.raises(ValueError, match=message):
        list(preprocessing.iter_streams(frames[:count], recipe("flow")))


def test_one_frame_has_no_flow(frames):
    with pytest.raises(ValueError, match="Optical flow needs at least two frames"):
        preprocessing.model_input(frames[:1], recipe("flow"))
    assert preprocessing.model_input(frames[:1], recipe("rgb"))["rgb"].shape[0] == 9
