"""Files that end early, or go on after their end, in every container."""

import io
import random

import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import read_video

CONTAINERS = {
    "3gp": {"codec": "mpeg4"},
    "avi": {"codec": "mpeg4", "silence": True},
    "flv": {"codec": "flv"},
    "gif": {"codec": "gif", "pixel_format": "rgb8"},
    "m2ts": {"codec": "mpeg2video", "silence": True},
    "mkv": {"codec": "ffv1"},
    "mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "mp4": {"codec": "mpeg4", "container_options": {"movflags": "faststart"}},
    "mpg": {"codec": "mpeg2video"},
    "mxf": {"codec": "mpeg2video"},
    "ogg": {"codec": "libvpx"},
    "ts": {"codec": "mpeg2video"},
    "vob": {"codec": "mpeg2video"},
    "webm": {"codec": "libvpx"},
    "wmv": {"codec": "wmv2"},
    "y4m": {"codec": "wrapped_avframe"},
}
COUNT = 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The content of a video of noise in each container, by suffix."""
    folder = tmp_path_factory.mktemp("ends")
    noise = np.random.default_rng(0).integers(0, 255, (COUNT, 48, 64, 3), np.uint8)
    return {
        suffix: write_video(folder / f"a.{suffix}", noise, **options).read_bytes()
        for suffix, options in CONTAINERS.items()
    }


def damage_of(source):
    seen = []
    read_video(source, max_damaged_frames=1, on_damage=seen.append)
    return seen[0] if seen else None


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_whole_files_end_where_they_say(whole, suffix):
    assert damage_of(whole[suffix]) is None
    assert damage_of(io.BytesIO(whole[suffix])) is None


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_cut_is_found(whole, suffix):
    content, rng = whole[suffix], random.Random(suffix)
    places = [rng.uniform(0.3, 1) for _ in range(8)]
    sizes = [int(len(content) * place) for place in places]
    sizes += [len(content) - (600 if suffix == "mxf" else 9)]  # Up to its last table.
    for size in sizes:
        if suffix in ("ts", "m2ts") and size % 188 == 0:
            continue
        if suffix in ("mpg", "vob", "m2ts") and not content[size:].strip(b"\0\xff"):
            continue  # Only padding is lost.
        try:
            damage = damage_of(content[:size])
        except ValueError:
            continue
        assert damage and damage.counts()["is_truncated"], (size, len(content))


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mp4", "gif", "ogg", "wmv"])
@pytest.mark.parametrize(
    ("rest", "trailing"), [(b"another" * 9, 63), (bytes(999), 0)], ids=["rest", "zeros"]
)
def test_bytes_after_the_end(whole, suffix, rest, trailing):
    damage = damage_of(whole[suffix] + rest)
    assert (damage.trailing if damage else 0) == trailing
    if trailing:
        assert "63 bytes follow the end of the video" in str(damage)
        assert damage.share == 0


@pytest.mark.parametrize(
    ("zeros", "least"), [(slice(0.5, 0.6), 3), (slice(0.8, 0.82), 1)], ids=str
)
def test_images_after_a_broken_block_are_missing(whole, zeros, least):
    content = bytearray(whole["gif"])
    start, stop = (int(len(content) * place) for place in (zeros.start, zeros.stop))
    content[start:stop] = bytes(stop - start)
    damage = damage_of(bytes(content))
    assert least <= damage.missing <= COUNT


@pytest.mark.parametrize("lost", [1, 1000, 64 * 48 * 3 // 2 - 1])
def test_a_part_of_a_frame_is_a_missing_frame(whole, lost):
    damage = damage_of(whole["y4m"][:-lost])
    assert damage.is_partial and damage.missing == 1
    assert damage.decoded == COUNT - 1
    assert str(damage) == (
        "is truncated: the file ends within a packet; 0 frames are damaged and 1 are "
        "missing of 30"
    )


def test_less_than_a_frame_is_no_video(whole):
    with pytest.raises(ValueError, match="the video in memory: .*1 are missing of 1"):
        read_video(whole["y4m"][:100])


def test_a_damaged_last_page_is_counted(whole):
    content = bytearray(whole["ogg"])
    content[-5] ^= 1
    damage = damage_of(bytes(content))
    assert damage.missing >= 1
    assert not damage.is_cut


def test_a_cut_without_an_announced_length_is_refused(whole):
    with pytest.raises(ValueError, match="the end of the file is missing"):
        read_video(whole["ogg"][:-9])


def test_a_windows_video_that_is_cut_announces_its_length(whole):
    damage = damage_of(whole["wmv"][: len(whole["wmv"]) // 2])
    assert damage.announced == pytest.approx(COUNT / 25, abs=0.05)
    assert damage.missing >= COUNT // 3


@pytest.mark.parametrize(
    ("suffix", "rate"),
    [("avi", 1000), ("gif", 10), ("ogg", 1000), ("y4m", 10), ("ts", 60), ("webm", 10)],
)
def test_other_rates_are_whole(tmp_path, suffix, rate):
    path = tmp_path / f"a.{suffix}"
    options = {k: v for k, v in CONTAINERS[suffix].items() if k != "silence"}
    write_video(path, brightness_frames(40), rate=rate, **options)
    assert damage_of(path) is None
