"""What is missing or damaged in a video is counted and reported, in every container."""

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import read_video
from kinetics_i3d_tf2.video.damage import Damage, report
from kinetics_i3d_tf2.video.reader import count_frames

CODECS = {
    "mkv": "libx264",
    "mp4": "libx264",
    "ts": "libx264",
    "avi": "mpeg4",
    "webm": "libvpx",
    "mpg": "mpeg2video",
    "flv": "flv",
}


def textured(count, size=(80, 64)):
    """A textured image that moves: frames of some size that differ everywhere."""
    noise = np.random.default_rng(0).uniform(0, 255, (size[1] + 99, size[0] + 99, 3))
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, 32)
    return np.stack(
        [
            image[i % 99 : i % 99 + size[1], i % 99 : i % 99 + size[0]]
            for i in range(count)
        ]
    ).astype(np.uint8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Ten seconds in each container, by suffix."""
    folder = tmp_path_factory.mktemp("whole")
    frames = textured(250)
    return {
        suffix: write_video(
            folder / f"clip.{suffix}",
            frames,
            codec=codec,
            options={"g": "25"} if codec == "libx264" else {"b": "1000000"},
        )
        for suffix, codec in CODECS.items()
    }


def damaged_copy(path, folder, change):
    content = bytearray(path.read_bytes())
    content = change(content)
    copy = folder / path.name
    copy.write_bytes(content)
    return copy


def zeroed(content, share=0.1):
    middle, count = len(content) // 2, int(len(content) * share)
    content[middle : middle + count] = bytes(count)
    return content


@pytest.mark.parametrize("suffix", CODECS)
def test_whole_files_report_nothing(whole, suffix):
    seen = []
    frames = read_video(whole[suffix], on_damage=seen.append)
    assert len(frames) == 250
    assert not seen


@pytest.mark.parametrize("suffix", CODECS)
def test_zeros_in_the_middle(whole, tmp_path, suffix):
    """Frames that differ from the undamaged file's are counted, at least most."""
    path, seen = damaged_copy(whole[suffix], tmp_path, zeroed), []
    original = read_video(whole[suffix]).astype(np.int16)
    received = read_video(path, max_damaged_frames=1, on_damage=seen.append)
    (damage,) = seen
    faulty = 0
    for image in received.astype(np.int16):
        faulty += np.abs(original - image).mean((1, 2, 3)).min() > 3
    lost = 250 - damage.decoded
    assert damage.missing + damage.damaged >= 0.9 * max(lost, faulty)
    assert 0 < damage.share <= 1


@pytest.mark.parametrize("suffix", ["mkv", "webm", "ts", "flv"])
@pytest.mark.parametrize("seed", range(3))
def test_a_few_lost_frames_are_counted(tmp_path, suffix, seed):
    """Sixty frames of noise, of which two or more are overwritten by zeros."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    options = {"g": "5"} | ({"b": "1000000"} if suffix == "webm" else {})
    path = write_video(
        tmp_path / f"a.{suffix}", noise, codec=CODECS[suffix], options=options
    )
    content = bytearray(path.read_bytes())
    count = len(content) // 30
    start = int(len(content) * random.Random(seed).uniform(0.25, 0.75))
    content[start : start + count] = bytes(count)
    path.write_bytes(content)
    seen = []
    read_video(path, max_damaged_frames=1, on_damage=seen.append)
    assert 0 <= 60 - seen[0].decoded - seen[0].missing <= 1
    assert seen[0].missing >= 1


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mkv", "libx264"), ("ts", "libx264"), ("flv", "flv"), ("avi", "mpeg4")],
)
def test_still_scenes_of_variable_rate_are_whole(tmp_path, suffix, codec):
    """Where nothing moves, containers hold tables or empty chunks."""
    times = np.cumsum(np.random.default_rng(1).choice([0.04, 0.04, 1.0, 3.0], 40))
    path = tmp_path / f"a.{suffix}"
    write_video(path, brightness_frames(40), codec=codec, times=times)
    seen = []
    read_video(path, on_damage=seen.append)
    assert not seen


@pytest.mark.parametrize("silence", [False, True], ids=["silent", "sound"])
@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_still_scenes_of_a_fast_avi_are_whole(tmp_path, codec, silence):
    """At 1000 frames per second, of which most are empty chunks."""
    times = np.cumsum(np.random.default_rng(0).choice([0.001, 0.04, 1.0, 3.0], 40))
    path = tmp_path / "a.avi"
    options = {"codec": codec, "options": {"bf": "0"}, "silence": silence}
    write_video(path, brightness_frames(40), rate=1000, times=times, **options)
    seen = []
    read_video(path, fps=None, on_damage=seen.append)
    assert not seen


def test_a_share_of_damage_is_an_error(whole, tmp_path, caplog):
    path = damaged_copy(whole["mkv"], tmp_path, zeroed)
    with pytest.raises(ValueError, match=r"clip.mkv: \d+ frames are damaged and \d+ "):
        read_video(path, max_damaged_frames=0.01)
    caplog.clear()
    assert len(read_video(path, max_damaged_frames=0.9))
    assert caplog.text.count("frames are damaged") == 1  # Once a file.


@pytest.mark.parametrize("cut", range(30))
def test_every_cut_of_an_avi_with_sound_is_found(avi_with_sound, tmp_path, cut):
    place = random.Random(cut).uniform(0.05, 0.999)
    path = damaged_copy(
        avi_with_sound, tmp_path, lambda content: content[: int(len(content) * place)]
    )
    seen = []
    try:
        read_video(path, max_damaged_frames=1, on_damage=seen.append)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert seen and "is truncated" in str(seen[0])


@pytest.fixture(scope="module")
def avi_with_sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("avi") / "clip.avi"
    return write_video(path, textured(100), codec="mpeg4", silence=True)


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_streams_that_were_joined(whole, tmp_path, suffix):
    """Time stamps begin again in the middle: no frame is lost."""
    path = damaged_copy(whole[suffix], tmp_path, lambda content: content * 2)
    seen = []
    frames = read_video(path, on_damage=seen.append)
    assert len(frames) == count_frames(path) == 500
    # A transport stream's counters tell that something ended.
    assert sum(damage.damaged + damage.missing for damage in seen) <= 1


def test_a_flash_video_that_begins_late_is_whole(tmp_path):
    times = [3 + index / 25 for index in range(50)]
    path = write_video(
        tmp_path / "clip.flv", brightness_frames(50), codec="flv", times=times
    )
    seen = []
    assert len(read_video(path, on_damage=seen.append)) == 50
    assert not seen


def test_a_stream_that_begins_late(tmp_path):
    """In the second half of a transport stream the sound has another number."""
    path = tmp_path / "clip.ts"
    write_video(path, brightness_frames(50), codec="mpeg2video", silence=True)
    content = bytearray(path.read_bytes())
    for start in range(len(content) // 376 * 188, len(content), 188):
        if content[start + 1] & 0x1F == 1 and content[start + 2] == 1:
            content[start + 2] = 0xFF
    path.write_bytes(content)
    assert len(read_video(path, on_damage=lambda damage: None)) == 50


def test_damage_in_words():
    damage = Damage(decoded=90, damaged=4, missing=10, seconds=3.6, announced=4.0)
    assert damage.share == 0.14
    assert str(damage) == (
        "is truncated: 3.60 of 4.00 seconds are there; 4 frames are damaged and 10 are "
        "missing of 100"
    )
    assert not Damage(decoded=3)
    with pytest.raises(ValueError, match="a.mp4: is truncated: .* more than max_dam"):
        report(damage, "a.mp4")
    report(damage, "a.mp4", max_damaged_frames=0.14, on_damage=lambda damage: None)


def test_a_cut_of_unknown_length_is_all_lost():
    assert Damage(decoded=9, is_cut=True).share == 1
    assert Damage(decoded=9, is_cut=True, announced=0.36).share == 0


def test_files_of_this_project_are_whole(shared):
    sample = shared / "release" / "sample" / "v_CricketShot_g04_c01_rgb.gif"
    seen = []
    for path in (sample, *Path("data").glob("demo_*.mp4")):
        read_video(path, on_damage=seen.append)
    assert not seen
