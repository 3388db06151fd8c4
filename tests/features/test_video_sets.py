"""Sets of videos: their shape, dtype and range are checked, never guessed."""

import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.features import video_sets
from kinetics_i3d_tf2.features.spans import ShortVideoError, Span

VIDEOS = np.random.default_rng(0).integers(0, 256, (3, 10, 8, 6, 3), np.uint8)


def read_all(found):
    return np.stack([video.read() for video in found])


def test_a_folder_of_videos_and_arrays(tmp_path):
    (tmp_path / "more").mkdir()
    np.save(tmp_path / "more" / "three.npy", VIDEOS)
    np.save(tmp_path / "one.npy", VIDEOS[0])
    frames = brightness_frames(12)
    write_video(tmp_path / "a.mkv", frames, codec="ffv1", pixel_format="bgr0", rate=8)
    (tmp_path / "notes.txt").write_text("no video")
    found = video_sets.find(tmp_path)
    names = [video.name.removeprefix(f"{tmp_path}/") for video in found]
    assert names == ["a.mkv", *(f"more/three.npy[{n}]" for n in range(3)), "one.npy[0]"]
    # Each frame as it is stored, at 8 a second too.
    np.testing.assert_array_equal(found[0].read(), frames)
    np.testing.assert_array_equal(read_all(found[1:4]), VIDEOS)
    assert len(video_sets.find(tmp_path / "one.npy")) == 1


def test_the_first_frames(tmp_path):
    write_video(tmp_path / "a.mp4", brightness_frames(30))
    (video,) = video_sets.find(tmp_path / "a.mp4", num_frames=9)
    assert len(video.read()) == 9
    found = video_sets.of_array(VIDEOS, num_frames=9)
    np.testing.assert_array_equal(read_all(found), VIDEOS[:, :9])


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("0..255", lambda x: x),
        ("0..1", lambda x: x / 255),
        ("-1..1", lambda x: x / 127.5 - 1),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_in_a_named_range(name, scale, dtype):
    videos = scale(VIDEOS.astype(np.float64)).astype(dtype)
    read = read_all(video_sets.of_array(videos, float_range=name))
    assert read.dtype == np.float32
    tolerance = 0.2 if dtype == "float16" else 1e-4
    np.testing.assert_allclose(read, VIDEOS, atol=tolerance)


UNIT = VIDEOS / 255


@pytest.mark.parametrize(
    ("videos", "float_range", "message"),
    [
        (UNIT, "0..255", r"all values are in \[0, 1\], not in \[0, 255\]"),
        (UNIT, "-1..1", r"all values are in \[0, 1\], not in \[-1, 1\]"),
        (UNIT, None, "holds float64; say the range of its values, one of 0..255"),
        (
            VIDEOS.astype(float),
            "0..1",
            r"expected values in \[0, 1\]. Received: \[0, 255",
        ),
        (VIDEOS.astype(float) - 9, "-1..1", r"expected values in \[-1, 1\]"),
        (np.full_like(UNIT, np.nan), "0..1", r"expected values in \[0, 1\].*nan"),
        (VIDEOS.astype(np.int32), None, "expected uint8 in 0..255.*int32"),
        (
            VIDEOS[..., :2],
            None,
            r"expected videos \(number, frames.*\(3, 10, 8, 6, 2\)",
        ),
        (VIDEOS[:, :8], None, "has 8 frames, and 9 are needed"),
    ],
    ids=str,
)
def test_what_is_no_set_of_videos(videos, float_range, message):
    with pytest.raises(ValueError, match=message):
        read_all(video_sets.of_array(videos, float_range=float_range))


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_black_and_white_videos_are_data(value, dtype, caplog):
    videos = np.full((2, 9, 4, 4, 3), value, dtype)
    read = read_all(video_sets.of_array(videos, float_range="0..255"))
    np.testing.assert_array_equal(read, videos)
    signed = videos.astype(np.float32) / 127.5 - 1
    read = read_all(video_sets.of_array(signed, float_range="-1..1"))
    np.testing.assert_allclose(read, videos, atol=1e-4)
    assert not caplog.messages


def test_uint8_of_zeros_and_ones_is_taken_with_a_warning(caplog):
    videos = (UNIT + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(read_all(video_sets.of_array(videos)), videos)
    assert "all values are 0 or 1, which is black" in caplog.text


def starts_of(videos, length):
    """First frame of each clip of videos whose frames are numbered."""
    for clip in (video.read() for video in videos):
        numbers = clip[:, 0, 0, 0]
        np.testing.assert_array_equal(np.diff(numbers), np.ones(length - 1))
        yield int(numbers[0])


def numbered(count, frames):
    videos = np.zeros((count, frames, 2, 2, 3), np.uint8)
    return videos + np.arange(frames, dtype=np.uint8)[:, None, None, None]


def test_clips_start_at_random_places_of_a_seed():
    videos = numbered(400, 12)
    starts = [*starts_of(video_sets.of_array(videos, num_frames=9, seed=3), 9)]
    counts = np.bincount(starts, minlength=4)
    assert len(counts) == 4 and counts.min() > 70  # 100 expected, deviation 9
    again = video_sets.of_array(videos, num_frames=9, seed=3)
    assert [*starts_of(again, 9)] == starts
    others = video_sets.of_array(videos, num_frames=9, seed=4)
    assert [*starts_of(others, 9)] != starts


def test_random_clips_of_an_iterator():
    frames = numbered(1, 12)[0]
    starts = [
        Span(9, 0, number).of_iterator(iter(frames), "x")[0, 0, 0, 0]
        for number in range(400)
    ]
    counts = np.bincount(starts, minlength=4)
    assert len(counts) == 4 and counts.min() > 70
    with pytest.raises(ShortVideoError, match="x: has 8 frames, and 9 are needed"):
        Span(9, 0, 0).of_iterator(iter(frames[:8]), "x")


def test_too_few_frames_are_asked_for():
    with pytest.raises(ValueError, match="num_frames must be at least 9.*Received: 8"):
        video_sets.of_array(VIDEOS, num_frames=8)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file or folder"):
        video_sets.find(tmp_path / "absent")
    with pytest.raises(ValueError, match="there are no videos or .npy files in it"):
        video_sets.find(tmp_path)
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ValueError, match="bad.npy: is not a whole .npy file"):
        video_sets.find(tmp_path)
