"""Folders of images read as videos."""

import re

import numpy as np
import pytest
from videos import brightness_frames, write_images, write_video

from kinetics_i3d_tf2 import ImageFolder, read_video
from kinetics_i3d_tf2.video.reader import count_frames


@pytest.fixture
def folder(tmp_path):
    """Twelve images, of which `2.png` comes before `10.png`."""
    return write_images(tmp_path / "clip", brightness_frames(12))


def numbers(frames):
    return [int(round(image.mean() / 5)) for image in frames]


def test_natural_order_and_values(folder):
    assert numbers(read_video(folder)) == list(range(12))
    np.testing.assert_array_equal(read_video(str(folder)), brightness_frames(12))


@pytest.mark.parametrize(
    ("rate", "options", "expected"),
    [
        (25, {}, list(range(12))),
        (5, {"max_frames": 7}, [0, 0, 0, 1, 1, 1, 1]),
        (50, {}, [0, 2, 4, 6, 8, 10]),
        (10, {"fps": None}, list(range(12))),
        (10, {"fps": None, "start": 0.3, "end": 0.6}, [3, 4, 5]),
        (10, {"fps": 10, "start": 0.3, "end": 0.6}, [3, 4, 5]),
        (25, {"start": 0.4}, [10, 11]),
    ],
    ids=["25", "5", "50", "stored", "stored-span", "span", "start"],
)
def test_rates_and_spans(folder, rate, options, expected):
    source = ImageFolder(folder, rate)
    assert numbers(read_video(source, **options)) == expected
    if "max_frames" not in options:
        assert count_frames(source, **options) == len(expected)


@pytest.mark.parametrize("rate", [5, 12, 24, 30, 60])
def test_images_are_sampled_as_a_video_of_their_rate(tmp_path, rate):
    frames = brightness_frames(40)
    video = write_video(tmp_path / "a.mkv", frames, rate=rate, codec="ffv1")
    source = ImageFolder(write_images(tmp_path / "a", frames), rate)
    expected = numbers(read_video(video))
    assert numbers(read_video(source)) == expected
    assert count_frames(source) == len(expected)


def test_images_of_two_sizes(folder):
    write_images(folder / "x", brightness_frames(1, size=(32, 24)))
    (folder / "x" / "1.png").rename(folder / "7.png")
    message = re.escape(f"{folder}/7.png: is 32x24 pixels, and {folder}/1.png is 64x48")
    with pytest.raises(ValueError, match=message):
        read_video(folder)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_damaged_images_are_counted(folder, suffix):
    folder = write_images(folder / "y", brightness_frames(40, (128, 96)), suffix)
    content = (folder / f"9{suffix}").read_bytes()
    (folder / f"9{suffix}").write_bytes(content[: len(content) - 20])
    (folder / f"20{suffix}").write_bytes(b"no image")
    seen = []
    frames = read_video(folder, on_damage=seen.append)
    assert len(frames) == 40
    assert (seen[0].damaged + seen[0].missing, seen[0].decoded) in ((2, 39), (2, 38))
    with pytest.raises(ValueError, match="max_damaged_frames=0.01"):
        read_video(folder, max_damaged_frames=0.01)


def test_a_folder_without_images(tmp_path):
    with pytest.raises(OSError, match="is a folder without images, not a video"):
        read_video(tmp_path)


def test_rates_are_positive(folder):
    with pytest.raises(ValueError, match="fps must be greater than 0. Received: 0"):
        read_video(ImageFolder(folder, 0))
