"""Preprocessed clips in .npy files."""

import os

import numpy as np
import pytest

from kinetics_i3d_tf2.data import npy

GOOD = np.linspace(-1, 1, 9 * 193 * 193 * 2).reshape(1, 9, 193, 193, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_read_clip(tmp_path, dtype):
    np.save(tmp_path / "clip.npy", GOOD.astype(dtype))
    clip = npy.read_clip(tmp_path / "clip.npy", 2)
    assert clip.dtype == np.float32
    np.testing.assert_array_equal(clip, GOOD.astype(dtype).astype(np.float32))


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            GOOD[0],
            r"shape \(9, 193, 193, 2\), expected \(1, frames, height, width, 2\)",
        ),
        (GOOD[..., :1], r"shape \(1, 9, 193, 193, 1\), expected"),
        (GOOD[:, :8], "at least 9 frames of 193 pixels a side"),
        (GOOD[:, :, :192], "at least 9 frames of 193 pixels a side"),
        (GOOD.astype(np.int64), "int64, expected float"),
        (GOOD * np.nan, "holds NaN or infinity"),
        (GOOD * 20, r"values in \[-20, 20\], expected \[-1, 1\]"),
    ],
    ids=["axes", "channels", "frames", "size", "dtype", "nan", "range"],
)
def test_clips_that_no_stream_takes(tmp_path, clip, message):
    np.save(tmp_path / "clip.npy", clip)
    with pytest.raises(ValueError, match=f"clip.npy: .*{message}"):
        npy.read_clip(tmp_path / "clip.npy", 2)


def test_a_range_that_is_probably_wrong(tmp_path, caplog):
    np.save(tmp_path / "clip.npy", (GOOD + 1) / 2)
    npy.read_clip(tmp_path / "clip.npy", 2)
    assert "no value is below 0" in caplog.text


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY\x01\x00"])
def test_what_is_no_array(tmp_path, content):
    (tmp_path / "clip.npy").write_bytes(content)
    with pytest.raises(ValueError, match="is not a whole .npy file of numbers"):
        npy.read_clip(tmp_path / "clip.npy", 2)


def test_archives_and_missing_files(tmp_path):
    np.savez(tmp_path / "clip.npz", GOOD)
    with pytest.raises(ValueError, match="is a .npz archive; save the one array"):
        npy.read_array(tmp_path / "clip.npz")
    with pytest.raises(FileNotFoundError):
        npy.read_array(tmp_path / "none.npy")


def test_a_pipe_is_named(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    for read in (lambda path: npy.read_clip(path, 3), npy.read_array):
        with pytest.raises(ValueError, match=r"a\.npy: is a pipe or a device"):
            read(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="/dev/zero: is a pipe or a device"):
        npy.read_array("/dev/zero")
