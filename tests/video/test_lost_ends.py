"""Videos that lack their first or last frames without a cut, and whole ones."""

import re

import av
import numpy as np
import pytest
from videos import write_video

from kinetics_i3d_tf2 import read_video

NOISE = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
MOVING = np.stack([np.roll(NOISE[0], number, 1) for number in range(60)])
SHORT_GROUPS = {"options": {"g": "10"}}
B_FRAMES = {"options": {"bf": "2", "g": "12"}}
WHOLE = {
    "broadcast.ts": {"codec": "libx264"},
    "disc.m2ts": {"codec": "libx264"},
    "b.ts": {"codec": "mpeg2video"} | B_FRAMES,
    "b.mpg": {"codec": "mpeg2video"} | B_FRAMES,
    "b.vob": {"codec": "mpeg2video", "rate": 30} | B_FRAMES,
    "vcd.mpg": {"codec": "mpeg1video", "rate": 30} | B_FRAMES,
    "fast.vob": {"codec": "mpeg2video", "rate": 50},
    "a.flv": {"codec": "libx264"},
    "a.mkv": {"codec": "libx264"},
    "a.nut": {"codec": "mpeg4"},
    "a.wmv": {"codec": "wmv2"},
}


def seen_in(source):
    """How many frames are read as they are stored, and the damage."""
    seen = []
    options = {"max_damaged_frames": 1, "on_damage": seen.append}
    count = len(read_video(source, fps=None, **options))
    return count, seen[0] if seen else None


def written(folder, name, frames=NOISE, **options):
    return bytearray(write_video(folder / name, frames, **options).read_bytes())


def places(path):
    """Where the packets of the film begin."""
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("silence", [False, True], ids=["silent", "sound"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_of_large_frames(tmp_path, name, silence):
    path = tmp_path / name
    write_video(path, NOISE, silence=silence, **WHOLE[name])
    assert seen_in(path) == (60, None)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mkv", "libx264"), ("ts", "libx264"), ("wmv", "wmv2"), ("mp4", "libx264")],
)
@pytest.mark.parametrize("begin", [0, 0.7])
def test_whole_files_of_variable_rate(tmp_path, suffix, codec, begin):
    steps = np.random.default_rng(3).choice([0.02, 0.04, 0.06, 0.5], 60)
    times = np.cumsum(steps) - steps[0] + begin
    path = tmp_path / f"a.{suffix}"
    write_video(path, NOISE, codec=codec, times=times, silence=True)
    assert seen_in(path) == (60, None)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_sound_that_goes_on_is_reported(tmp_path, codec):
    """The film's packets of the second half are taken out."""
    content = written(tmp_path, "a.ts", codec=codec, silence=True)
    packets = [content[at : at + 188] for at in range(0, len(content), 188)]
    half = len(packets) // 2
    for number in range(half, len(packets)):
        if packets[number][1:3] in (b"\x01\x00", b"\x41\x00"):
            packets[number] = b""
    count, damage = seen_in(bytes(b"".join(packets)))
    assert 20 < count < 45
    assert damage.sound_after == pytest.approx(3 - count / 25, abs=0.15)
    assert "and its sound goes on for 1." in str(damage)
    assert damage.share < 0.1


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
@pytest.mark.parametrize("lost", [1, 2])
def test_the_last_frames_of_a_matroska_file(tmp_path, suffix, lost):
    codec = {"mkv": "ffv1", "webm": "libvpx"}[suffix]
    content = written(tmp_path, f"a.{suffix}", codec=codec)
    begins = places(tmp_path / f"a.{suffix}")
    content[begins[-lost] - 7 : begins[-1] + 99] = bytes(
        begins[-1] + 106 - begins[-lost]
    )
    count, damage = seen_in(bytes(content))
    assert (count, damage.missing) == (60 - lost, lost)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mkv", "ffv1"), ("webm", "libvpx"), ("flv", "flv"), ("wmv", "wmv2")],
)
def test_the_first_frames(tmp_path, suffix, codec):
    content = written(tmp_path, f"a.{suffix}", codec=codec, **SHORT_GROUPS)
    begins = places(tmp_path / f"a.{suffix}")
    begin = begins[0] - (9 if codec in ("ffv1", "libvpx") else 0)
    content[begin : begins[4]] = bytes(begins[4] - begin)
    count, damage = seen_in(bytes(content))
    assert count < 60
    assert damage.missing == 60 - count


def test_frames_in_a_unit_of_a_windows_video(tmp_path):
    """What is left of a unit is lost with its damaged part."""
    content = written(tmp_path, "a.wmv", MOVING, codec="wmv2", **SHORT_GROUPS)
    units = sorted(set(places(tmp_path / "a.wmv")))
    begin = units[len(units) // 2] + 1000
    content[begin : begin + 600] = bytes(600)
    count, damage = seen_in(bytes(content))
    assert count < 60
    assert damage.missing == 60 - count


def test_one_frame_of_a_flash_video(tmp_path):
    content = written(tmp_path, "a.flv", MOVING, codec="flv")
    tags = places(tmp_path / "a.flv")
    content[tags[30] : tags[30] + 20] = bytes(20)
    count, damage = seen_in(bytes(content))
    assert (count, damage.missing) == (59, 1)


def test_the_first_frame_of_an_avi_file(tmp_path):
    content = written(tmp_path, "a.avi", codec="mpeg4")
    begins = places(tmp_path / "a.avi")
    content[begins[0] - 20 : begins[0] + 100] = bytes(120)
    count, damage = seen_in(bytes(content))
    assert damage.missing == 60 - damage.decoded == 1


@pytest.mark.parametrize("suffix", ["ts", "vob"])
def test_frames_without_their_key_frame(tmp_path, suffix):
    """The file begins within a group, as a recording may."""
    options = {"codec": "mpeg2video", "options": {"g": "12"}}
    content = written(tmp_path, f"a.{suffix}", MOVING, **options)
    unit = {"ts": 188, "vob": 2048}[suffix]
    begin = len(content) // 5 // unit * unit
    count, damage = seen_in(bytes(content[begin:]))
    assert 20 < count < 60
    assert 1 <= damage.damaged <= 13


def test_zeros_over_pictures_of_a_program_stream(tmp_path):
    """Pictures are lost in the middle of a part of the file, with the next part."""
    content = written(tmp_path, "a.mpg", MOVING, codec="mpeg2video")
    pictures = [match.start() for match in re.finditer(b"\0\0\1\0", content)]
    content[pictures[45] + 9 : -99] = bytes(len(content) - 108 - pictures[45])
    count, damage = seen_in(bytes(content))
    assert 40 < count < 47
    assert damage.damaged + damage.missing >= 1


def test_a_time_stamp_that_goes_back(tmp_path):
    content = written(tmp_path, "a.flv", codec="flv")
    tag = places(tmp_path / "a.flv")[0]  # Its type, size, and time in milliseconds.
    content[tag + 5] = 2
    count, damage = seen_in(bytes(content))
    assert (count, damage.damaged, damage.missing) == (60, 1, 0)
    read = read_video(bytes(content), on_damage=lambda damage: None)
    assert len(read) == 60


def test_a_transport_stream_joined_within_a_packet(tmp_path):
    content = bytes(written(tmp_path, "a.ts", codec="mpeg2video"))
    count, damage = seen_in(content[:9000] + content)
    assert count >= 60
    assert damage.missing >= 1
