"""Damaged files of a set's Gaussian."""

import zipfile

import numpy as np
import pytest

from kinetics_i3d_tf2.features import fvd_statistics
from kinetics_i3d_tf2.features.frechet import Gaussian
from kinetics_i3d_tf2.features.fvd_statistics import load_statistics, save_statistics

WHOLE = Gaussian(9, np.zeros(3), np.eye(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": np.zeros(2)}, "holds no statistics"),
        ({"count": np.array("nine")}, "holds no statistics"),
        ({"mean": np.zeros(4)}, r"the mean is \(4,\), the covariance \(3, 3\)"),
        ({"mean": np.array(0.0)}, r"the mean is \(\), the covariance \(3, 3\)"),
    ],
    ids=["two counts", "a count in words", "another size", "a scalar"],
)
def test_wrong_arrays(tmp_path, change, message):
    path = tmp_path / "real.npz"
    save_statistics(path, WHOLE, {})
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, **change})
    with pytest.raises(ValueError, match=f"real.npz: .*{message}"):
        load_statistics(path)


def test_damaged_archives(tmp_path):
    """Whatever zipfile raises, an OSError too, becomes an error with the path."""
    path = tmp_path / "real.npz"
    save_statistics(path, WHOLE, {})
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\1\2") + 42  # where an entry begins
    content[place : place + 4] = b"\xf0\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="real.npz: holds no statistics"):
        load_statistics(path)


def test_videos_that_changed_since_are_told_of(tmp_path, caplog):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a.mp4", "b.npy", "notes.txt"):
        (videos / name).write_text(name)
    settings = {"source": fvd_statistics.describe_source(videos)}
    assert settings["source"]["path"] == str(videos)
    (videos / "notes.txt").write_text("They are no videos.")
    fvd_statistics.warn_of_changes("real.npz", settings)
    fvd_statistics.warn_of_changes("real.npz", {})  # Of an older version.
    assert not caplog.records
    (videos / "c.mp4").write_text("another")
    fvd_statistics.warn_of_changes("real.npz", settings)
    assert f"real.npz: is of {videos} as it was; its videos have changed" in caplog.text
    caplog.clear()
    videos.rename(tmp_path / "moved")
    fvd_statistics.warn_of_changes("real.npz", settings)
    assert not caplog.records
    assert fvd_statistics.describe_source(tmp_path / "moved/a.mp4")["fingerprint"]


def test_members_that_are_no_arrays(tmp_path):
    path = tmp_path / "real.npz"
    save_statistics(path, WHOLE, {})
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, b"?" + content if name == "mean.npy" else content)
    with pytest.raises(ValueError, match="real.npz: holds no statistics"):
        load_statistics(path)
