"""Frames become the input of a model as the release's did."""

import numpy as np
import pytest

from kinetics_i3d_tf2 import preprocess_input
from kinetics_i3d_tf2.video import optical_flow, transforms

FRAMES = np.random.default_rng(0).integers(0, 256, (10, 128, 160, 3), np.uint8)


def test_one_clip_becomes_a_batch():
    resized = transforms.resize_short_side(FRAMES)
    expected = transforms.center_crop(resized) / np.float32(127.5) - 1
    found = preprocess_input(FRAMES)
    assert (found.shape, found.dtype) == ((1, 10, 224, 224, 3), np.float32)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    "frames", [FRAMES[None], list(FRAMES), [FRAMES, FRAMES[::-1]]], ids=len
)
def test_batches_and_lists(frames):
    found = preprocess_input(frames)
    np.testing.assert_array_equal(found[:1], preprocess_input(FRAMES))
    if len(found) > 1:
        np.testing.assert_array_equal(found[1:], preprocess_input(FRAMES[::-1]))


def test_flow():
    flow = optical_flow.optical_flow(transforms.resize_short_side(FRAMES))
    expected = optical_flow.normalize_flow(transforms.center_crop(flow))
    found = preprocess_input(FRAMES, stream="flow")
    np.testing.assert_allclose(found, expected[None], atol=1e-6)


def test_short_clips_are_looped():
    found = preprocess_input(FRAMES[:4])[0]
    assert len(found) == 9
    np.testing.assert_array_equal(found[4:8], found[:4])


@pytest.mark.parametrize(
    ("frames", "stream", "message"),
    [
        (FRAMES / np.float32(255), "rgb", "must be uint8 RGB.*Received: float32"),
        (FRAMES[0], "rgb", r"Received: uint8 \(128, 160, 3\)"),
        (FRAMES[..., :2], "rgb", r"Received: uint8 \(1, 10, 128, 160, 2\)"),
        (FRAMES[:0], "rgb", r"Received: uint8 \(1, 0, 128, 160, 3\)"),
        (FRAMES, "joint", 'stream must be "rgb" or "flow"'),
        (FRAMES, "depth", "stream must be one of joint, rgb, flow"),
    ],
    ids=["floats", "one frame", "two channels", "no frame", "joint", "unknown"],
)
def test_wrong_frames(frames, stream, message):
    with pytest.raises(ValueError, match=message):
        preprocess_input(frames, stream=stream)
