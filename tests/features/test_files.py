"""Features as files: written whole, found again, put together."""

import json
import shutil

import h5py
import numpy as np
import pytest

from kinetics_i3d_tf2.features.files import FORMATS, FeatureFiles

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
TIMES = np.array([[0, 0.64], [0.64, 1.28], [1.28, 1.5]])
SETTINGS = {"window": 16}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_is_there(tmp_path, kind):
    files = FeatureFiles(tmp_path, kind, SETTINGS)
    assert not files.has("train/a")
    files.write("train/a", VALUES, TIMES)
    files.write("b", VALUES + 1, TIMES)
    for found in (files, FeatureFiles(tmp_path, kind, SETTINGS)):
        assert [found.has(name) for name in ("train/a", "b", "c")] == [
            True,
            True,
            False,
        ]
    files.close()
    assert FeatureFiles(tmp_path, kind, SETTINGS).has("train/a")


def test_npz(tmp_path):
    FeatureFiles(tmp_path, "npz", SETTINGS).write("train/a", VALUES, TIMES)
    with np.load(tmp_path / "train" / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["features"], VALUES)
        np.testing.assert_array_equal(arrays["times"], TIMES)
        assert json.loads(str(arrays["settings"])) == SETTINGS


def test_npy(tmp_path):
    FeatureFiles(tmp_path, "npy", SETTINGS).write("train/a", VALUES, TIMES)
    np.testing.assert_array_equal(np.load(tmp_path / "train/a.npy"), VALUES)
    np.testing.assert_array_equal(np.load(tmp_path / "train/a_times.npy"), TIMES)


def test_hdf5_grows_and_loses_nothing_when_it_is_not_closed(tmp_path):
    files = FeatureFiles(tmp_path, "h5", SETTINGS)
    files.write("train/a", VALUES, TIMES)
    files.close()
    FeatureFiles(tmp_path, "h5", SETTINGS).write("b", VALUES + 1, TIMES)  # And killed.
    files = FeatureFiles(tmp_path, "h5", SETTINGS)
    assert files.has("b")
    files.write("c", VALUES + 2, TIMES)
    files.close()
    assert [path.name for path in tmp_path.iterdir()] == ["features.h5"]
    with h5py.File(tmp_path / "features.h5") as file:
        assert sorted(file) == ["b", "c", "train"]
        for number, name in enumerate(("train/a", "b", "c")):
            np.testing.assert_array_equal(file[f"{name}/features"], VALUES + number)
            np.testing.assert_array_equal(file[f"{name}/times"], TIMES)
        assert json.loads(file.attrs["settings"]) == SETTINGS


def test_parts_that_were_put_together_and_not_deleted(tmp_path):
    files = FeatureFiles(tmp_path, "h5", SETTINGS)
    files.write("a", VALUES, TIMES)
    shutil.copytree(tmp_path / ".parts", tmp_path / "kept")
    files.close()
    shutil.move(tmp_path / "kept", tmp_path / ".parts")
    files = FeatureFiles(tmp_path, "h5", SETTINGS)
    files.write(".b", VALUES, TIMES)
    files.close()
    assert [path.name for path in tmp_path.iterdir()] == ["features.h5"]
    with h5py.File(tmp_path / "features.h5") as file:
        assert sorted(file) == [".b", "a"]


def test_another_hdf5_is_refused(tmp_path):
    (tmp_path / "features.h5").write_text("no HDF5")
    with pytest.raises(ValueError, match="features.h5: is no file of features"):
        FeatureFiles(tmp_path, "h5", SETTINGS)
