from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from videos import (
    FORMATS,
    brightness_frames,
    set_rotation,
    write_audio,
    write_video,
)

from kinetics_i3d_tf2 import iter_video, read_video
from kinetics_i3d_tf2.video.reader import count_frames


def indices(clip, step=5):
    """Which of `brightness_frames` each frame shows."""
    return np.round(clip.mean(axis=(1, 2, 3)) / step).astype(int).tolist()


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """51 frames of 25 fps, H.264 with B-frames."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    return write_video(path, brightness_frames(51))


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(tmp_path, suffix):
    frames = brightness_frames(10, step=25)
    path = write_video(tmp_path / f"clip.{suffix}", frames, **FORMATS[suffix])
    clip = read_video(path)
    assert clip.shape == frames.shape
    assert clip.dtype == np.uint8
    if suffix != "gif":  # Its palette moves brightness.
        assert indices(clip, 25) == list(range(10))


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_avi_with_b_frames(tmp_path, codec):
    """AVI has no presentation times; frames must come in order, once each."""
    path = write_video(
        tmp_path / "clip.avi",
        brightness_frames(25, step=10),
        codec=codec,
        options={"bf": "2"},
    )
    received = indices(read_video(path), 10)
    # mpeg4 moves brightness a little.
    assert received == pytest.approx(range(25), abs=1)
    assert received == sorted(received)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size", "suffix"),
    [
        ("libx265", "yuv420p10le", (64, 48), "mp4"),
        ("ffv1", "gray", (64, 48), "mkv"),
        ("png", "rgba", (64, 48), "mov"),
        ("ffv1", "yuv444p", (63, 47), "mkv"),
    ],
    ids=["10-bit", "grey", "alpha", "odd-size"],
)
def test_pixel_formats(tmp_path, codec, pixel_format, size, suffix):
    frames = brightness_frames(10, size, step=25)
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = write_video(
        tmp_path / f"clip.{suffix}",
        frames,
        codec=codec,
        pixel_format=pixel_format,
        options=options,
    )
    clip = read_video(path)
    assert clip.shape == frames.shape
    np.testing.assert_allclose(clip.astype(int), frames, atol=8)


def test_channels_are_rgb(tmp_path):
    frames = np.zeros((9, 48, 64, 3), np.uint8)
    frames[..., 0], frames[..., 1] = 200, 100
    clip = read_video(write_video(tmp_path / "clip.mp4", frames))
    np.testing.assert_allclose(clip.mean(axis=(0, 1, 2)), [200, 100, 0], atol=6)


@pytest.mark.parametrize(
    ("rate", "count", "expected"),
    [
        (50, 20, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]),
        (12.5, 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
        (30, 12, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]),
        (10, 4, [0, 0, 1, 1, 2, 2, 2, 3, 3, 3]),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_nearest_frame_of_any_rate(tmp_path, suffix, rate, count, expected):
    frames = brightness_frames(count, step=10)
    path = write_video(tmp_path / f"clip.{suffix}", frames, rate=Fraction(rate))
    received = indices(read_video(path), 10)
    assert len(received) == len(expected)
    # Half-way times may take either neighbour.
    assert max(abs(a - b) for a, b in zip(received, expected, strict=True)) <= 1
    assert received == sorted(received)


def test_another_rate_can_be_asked_for(video):
    assert indices(read_video(video, fps=5)) == [
        0,
        5,
        10,
        15,
        20,
        25,
        30,
        35,
        40,
        45,
        50,
    ]


@pytest.mark.parametrize(
    "span",
    [{}, {"fps": 30}, {"start": 1.3}, {"start": 0.5, "end": 1.5}, {"end": 9}],
    ids=str,
)
@pytest.mark.parametrize("rate", [25, 30, Fraction(30000, 1001)], ids=str)
@pytest.mark.parametrize("suffix", FORMATS)
def test_counting_frames_without_decoding(tmp_path, suffix, rate, span):
    path = tmp_path / f"clip.{suffix}"
    write_video(path, brightness_frames(51), rate=rate, **FORMATS[suffix])
    assert count_frames(path, **span) == len(read_video(path, **span))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_video_that_begins_late(tmp_path, suffix):
    """Its first frame is at second 2: it is as long as it is."""
    frames = brightness_frames(50)
    times = [2 + index / 25 for index in range(50)]
    path = write_video(tmp_path / f"clip.{suffix}", frames, times=times)
    assert len(read_video(path)) == count_frames(path) == 50


def test_counting_frames_after_the_end(video):
    assert count_frames(video, start=60) == 0


def test_variable_rate(tmp_path):
    times = [0, 0.04, 0.08, 0.48, 0.52, 0.56]
    path = write_video(
        tmp_path / "clip.mkv", brightness_frames(6, step=40), times=times
    )
    # Frame 2 is nearest until 0.28 s, half way to frame 3.
    expected = [0, 1] + [2] * 5 + [3] * 6 + [4, 5]
    received = indices(read_video(path), 40)
    assert received[:15] == expected
    assert set(received[15:]) <= {5}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"start": 0.4, "end": 0.6}, [10, 11, 12, 13, 14]),
        ({"end": 0.1}, [0, 1, 2]),
        ({"start": 1.92}, [48, 49, 50]),
        ({"max_frames": 2}, [0, 1]),
        ({"start": 1, "max_frames": 2}, [25, 26]),
    ],
    ids=str,
)
def test_span(video, span, expected):
    received = indices(read_video(video, **span))
    assert received == pytest.approx(expected, abs=1)
    assert len(received) == len(expected)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_seeking_gives_the_frames_of_a_whole_read(tmp_path, suffix):
    path = write_video(
        tmp_path / f"clip.{suffix}",
        brightness_frames(300),
        options={"g": "30"},
        codec=FORMATS[suffix].get("codec", "libx264"),
    )
    whole = read_video(path)
    np.testing.assert_array_equal(read_video(path, start=8, end=9), whole[200:225])


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, (0, 0)), (90, (0, 1)), (180, (1, 1)), (270, (1, 0))]
)
def test_rotation_metadata(tmp_path, degrees, corner):
    """A bright corner at the top left, shown turned clockwise."""
    frames = np.zeros((9, 48, 64, 3), np.uint8)
    frames[:, :24, :32] = 255
    path = write_video(tmp_path / "clip.mp4", frames)
    set_rotation(path, degrees)
    clip = read_video(path)
    assert clip.shape[1:3] == ((48, 64) if degrees % 180 == 0 else (64, 48))
    height, width = clip.shape[1] // 2, clip.shape[2] // 2
    quarters = clip[:, : 2 * height, : 2 * width].reshape(9, 2, height, 2, width, 3)
    brightness = quarters.mean(axis=(0, 2, 4, 5))
    assert np.unravel_index(brightness.argmax(), (2, 2)) == corner


def test_audio_is_ignored_and_needed_of_none(tmp_path):
    with pytest.raises(ValueError, match="has no video in it"):
        read_video(write_audio(tmp_path / "sound.mp4"))


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("missing.mp4", None, FileNotFoundError, "no such video file"),
        ("empty.mp4", b"", ValueError, "is an empty file"),
        ("text.mp4", b"not a video " * 500, ValueError, "not a video that FFmpeg can"),
        ("text.txt", b"not a video " * 500, ValueError, "no video in it"),
        ("noise.avi", np.random.default_rng(0).bytes(9999), ValueError, "not a video"),
        (
            "list.m3u8",
            b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
            ValueError,
            "FFmpeg",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_a_video(tmp_path, name, content, error, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message) as caught:
        read_video(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("as_bytes", [False, True], ids=["path", "bytes"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
    ],
    ids=["concat", "hls"],
)
def test_a_playlist_leads_to_no_other_file(tmp_path, monkeypatch, text, as_bytes):
    write_video(tmp_path / "other.ts", brightness_frames(25), codec="mpeg2video")
    path = tmp_path / "list.m3u8"
    path.write_text(text)
    monkeypatch.chdir(tmp_path)  # The folder of what has no name.
    with pytest.raises(ValueError, match="is not a video that FFmpeg can read"):
        read_video(path.read_bytes() if as_bytes else path)


@pytest.mark.parametrize("suffix", ["mkv", "avi"])
def test_video_of_no_frames(tmp_path, suffix):
    path = write_video(
        tmp_path / f"clip.{suffix}", brightness_frames(1)[:0], **FORMATS[suffix]
    )
    with pytest.raises(ValueError, match="no video|not a video|cannot read"):
        read_video(path)


def test_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder without images, not"):
        read_video(tmp_path)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp4", {}),
        ("mp4", {"movflags": "faststart"}),
        ("mkv", {}),
        ("webm", {}),
        ("avi", {}),
        ("gif", {}),
    ],
    ids=["mp4", "mp4-faststart", "mkv", "webm", "avi", "gif"],
)
def test_truncated(tmp_path, suffix, options):
    path = write_video(
        tmp_path / f"clip.{suffix}",
        np.random.default_rng(0).integers(0, 256, (50, 48, 64, 3), np.uint8),
        container_options=options,
        **FORMATS[suffix],
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="truncated|not a video that FFmpeg can read"):
        read_video(path)


def test_span_after_the_end(video):
    with pytest.raises(ValueError, match="no video frames from second 9 on"):
        read_video(video, start=9)


@pytest.mark.parametrize("start", [20, 1e18])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_span_after_the_end_with_a_seek(tmp_path, suffix, start):
    path = write_video(tmp_path / f"clip.{suffix}", brightness_frames(200))
    with pytest.raises(ValueError, match="no video frames|cannot read"):
        read_video(path, start=start)
    assert len(read_video(path, start=7.8)) == 5


def test_one_frame(tmp_path):
    path = write_video(tmp_path / "clip.mkv", brightness_frames(1), rate=1000)
    assert len(read_video(path)) == len(read_video(path, fps=1)) == 1


@pytest.mark.parametrize("name", ["10:20.mp4", "a b.mp4", "100%.mp4", "file:x.mp4"])
def test_odd_file_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video("plain.mp4", brightness_frames(9))
    Path("plain.mp4").rename(name)
    assert len(read_video(name)) == 9


def test_truncated_with_sound(tmp_path):
    """The file's own duration may be the sound's; that of the pictures counts."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 48, 64, 3), np.uint8)
    path = write_video(tmp_path / "clip.mkv", noise, silence=True)
    assert len(read_video(path)) == 100
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="is truncated: .* of 4.00 seconds"):
        read_video(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fps": 0}, "fps must be greater than 0"),
        ({"start": -1}, "0 <= start < end"),
        ({"start": 2, "end": 1}, "0 <= start < end"),
        ({"max_frames": 0}, "max_frames must be at least 1"),
    ],
)
def test_bad_arguments(video, arguments, message):
    with pytest.raises(ValueError, match=message):
        read_video(video, **arguments)


def test_iter_video_reads_no_further_than_asked(video):
    frames = iter_video(video)
    first = next(frames)
    assert first.shape == (48, 64, 3)
    assert not first.flags.writeable
    frames.close()


def test_memory_grows_with_the_frames_kept_only(tmp_path, python):
    path = write_video(
        tmp_path / "long.mp4", np.zeros((1500, 240, 320, 3), np.uint8), rate=250
    )
    code = """
import resource, sys
from kinetics_i3d_tf2 import iter_video
for count, _ in enumerate(iter_video(sys.argv[1], fps=250), 1):
    if count == 300:
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
late = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert count == 1500, count
if sys.platform == "darwin":  # counts bytes there
    early, late = early // 1024, late // 1024
# 1,200 frames of 225 KiB would be 270,000 KiB.
assert late - early < 50_000, (early, late)
"""
    done = python("-c", code, path)
    assert done.returncode == 0, done.stderr


def test_mutated_files(tmp_path, python):
    """500 files with random bytes changed: an error or a result, never a crash."""
    code = """
import pathlib, random, sys
sys.path.insert(0, "tests")
from kinetics_i3d_tf2 import read_video
rng, outcomes = random.Random(0), {"read": 0, "refused": 0}
sources = [pathlib.Path(source) for source in sys.argv[1:]]
for number in range(500):
    source = sources[number % len(sources)]
    content = bytearray(source.read_bytes())
    for _ in range(rng.choice([1, 3, 10, 40])):
        # The first bytes describe the file: change them more often.
        end = rng.choice([64, 512, len(content)])
        content[rng.randrange(min(end, len(content)))] = rng.randrange(256)
    mutated = source.with_name(f"mutated{source.suffix}")
    mutated.write_bytes(content)
    try:
        outcomes["read"] += read_video(mutated).ndim == 4
    except ValueError as error:
        assert str(mutated) in str(error)
        outcomes["refused"] += 1
print(outcomes)
assert sum(outcomes.values()) == 500 and min(outcomes.values()) > 20
"""
    paths = [
        write_video(tmp_path / f"clip.{suffix}", brightness_frames(10), **options)
        for suffix, options in FORMATS.items()
    ]
    done = python("-c", code, *paths, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def test_released_sample(shared):
    sample = shared / "release" / "sample" / "v_CricketShot_g04_c01_rgb.gif"
    assert read_video(sample).shape == (79, 224, 224, 3)
