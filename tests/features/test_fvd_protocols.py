"""How projects prepare videos: resizing, frames, numbers of videos, covariance."""

import dataclasses

import numpy as np
import pytest

from kinetics_i3d_tf2.features.fvd import find_videos, gaussian_of
from kinetics_i3d_tf2.features.fvd_protocols import (
    PROTOCOLS,
    REFERENCE,
    STYLEGANV,
    VIDEOGPT,
    find_protocol,
)
from kinetics_i3d_tf2.features.video_sets import of_array

NOISE = np.random.default_rng(0).integers(0, 256, (2, 30, 41, 3), np.uint8)


def plain_resize(frames, size, offset):
    """Bilinear sampling at `(i + offset) * scale - offset`, by its definition.

    An offset of 0 is TensorFlow 1's `resize_bilinear`, of 0.5 PyTorch's `interpolate`
    with `align_corners=False`.
    """
    frames = frames.astype(np.float64)
    for axis, new in zip((1, 2), size, strict=True):
        length = frames.shape[axis]
        place = (np.arange(new) + offset) * (length / new) - offset
        place = place.clip(0, length - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(4)])
        frames = frames.take(low, axis) * (1 - share) + frames.take(high, axis) * share
    return frames


@pytest.mark.parametrize("shape", [(24, 32), (224, 224), (300, 400)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(
    ("protocol", "offset"), [(REFERENCE, 0), (STYLEGANV, 0.5)], ids=["ref", "styleganv"]
)
def test_frames_are_stretched(protocol, offset, shape, dtype):
    frames = np.random.default_rng(0).integers(0, 256, (2, *shape, 3)).astype(dtype)
    clip = protocol.prepare(frames)
    assert clip.dtype == np.float32
    expected = plain_resize(frames, (224, 224), offset) * 2 / 255 - 1
    np.testing.assert_allclose(clip, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "size", "top", "left"),
    [
        ((30, 41), (224, 307), 0, 41),
        ((41, 30), (307, 224), 41, 0),
        ((64, 64), (224, 224), 0, 0),
    ],
    ids=str,
)
def test_videogpt_crops_the_centre(shape, size, top, left):
    frames = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    expected = plain_resize(frames, size, 0.5)[:, top : top + 224, left : left + 224]
    clip = VIDEOGPT.prepare(frames)
    np.testing.assert_allclose(clip, expected * 2 / 255 - 1, atol=1e-4)


def test_floating_point_becomes_8_bits_where_the_projects_do_that():
    frames = NOISE[:, :30, :30].astype(np.float32)
    moved = frames.clip(0, 254) + np.float32(0.75)
    for protocol, same_as in (
        (STYLEGANV, frames.clip(0, 254) + 1),
        (VIDEOGPT, frames.clip(0, 254)),
    ):
        np.testing.assert_array_equal(
            protocol.prepare(moved), protocol.prepare(same_as)
        )
    gap = REFERENCE.prepare(moved) - REFERENCE.prepare(frames.clip(0, 254))
    np.testing.assert_allclose(gap, 0.75 * 2 / 255, atol=1e-5)


def test_figures_of_the_projects():
    rows = {
        p.name: (p.num_frames, p.num_videos, p.random_clips, p.random_videos, p.ddof)
        for p in PROTOCOLS.values()
    }
    assert rows == {
        "reference": (None, None, False, False, 1),
        "styleganv": (16, 2048, True, False, 0),
        "videogpt": (16, 256, True, True, 1),
    }


def test_an_unknown_protocol():
    with pytest.raises(ValueError, match="protocol must be one of reference, styleg"):
        find_protocol("fid")


def numbered(count, frames):
    """Videos whose pixels are the number of the video."""
    shape = (count, frames, 2, 2, 3)
    return np.broadcast_to(
        np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1, 1), shape
    )


def numbers_of(batch):
    """In place of logits: the number of the video and its square."""
    number = (batch["rgb"][:, 0, 0, 0, 0] + 1) * 127.5
    return np.stack([number, number**2], axis=1)


def test_real_videos_are_drawn_and_generated_ones_are_the_first():
    protocol = dataclasses.replace(VIDEOGPT, num_videos=4)

    def mean(is_real, seed):
        videos = find_videos(numbered(40, 16), protocol, is_real=is_real, seed=seed)
        gaussian, length, left_out = gaussian_of(videos, numbers_of, protocol=protocol)
        assert (gaussian.count, length, left_out) == (4, 16, {})
        return gaussian.mean[0]

    assert mean(False, 0) == mean(False, 1) == pytest.approx(1.5)  # 0 to 3
    assert mean(True, 0) == mean(True, 0) != mean(True, 1)


def test_short_videos_are_left_out_by_styleganv_alone():
    videos = [
        *of_array(numbered(3, 16), num_frames=16),
        *of_array(numbered(1, 15), name="short", num_frames=16),
    ]
    gaussian, _, left_out = gaussian_of(videos, numbers_of, protocol=STYLEGANV)
    assert gaussian.count == 3
    assert left_out == {"short[0]": "short[0]: has 15 frames, and 16 are needed"}
    with pytest.raises(ValueError, match="1 of 4 videos cannot be read"):
        gaussian_of(videos, numbers_of, protocol=VIDEOGPT)


@pytest.mark.parametrize("protocol", [STYLEGANV, VIDEOGPT], ids=lambda p: p.name)
def test_the_divisor_of_the_covariance(protocol):
    videos = of_array(numbered(3, 16), num_frames=16)
    gaussian, *_ = gaussian_of(videos, numbers_of, protocol=protocol)
    numbers = np.arange(3.0)
    expected = np.cov([numbers, numbers**2], ddof=protocol.ddof)
    np.testing.assert_allclose(gaussian.covariance, expected, atol=1e-3)
