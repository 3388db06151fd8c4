"""Features as files: written whole, found again, put together."""

import json
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest

from kinetics_i3d_tf2.features.files import FORMATS, RESERVED, FeatureFiles
from kinetics_i3d_tf2.utils.names import OutputNames

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


@pytest.mark.parametrize("kind", FORMATS)
def test_no_name_of_a_video_is_in_the_way_of_another(tmp_path, kind):
    store = FeatureFiles(tmp_path, kind, SETTINGS)
    names = OutputNames(store.outputs, RESERVED)
    wanted = ["x", "x_times", "X", "a", "a.npz/b", "a/features", "a/features/c",
              "index.csv", "settings.json/d", "features.h5/e"]  # fmt: skip
    claimed = [names.claim(name, owner=name) for name in wanted]
    for number, name in enumerate(claimed):
        store.write(name, VALUES + number, TIMES)
    store.close()
    for number, name in enumerate(claimed):
        if kind == "h5":
            with h5py.File(tmp_path / "features.h5") as file:
                values = file[f"{name}/features"][:]
        else:
            values = np.load(store.place(name))
            values = values if kind == "npy" else values["features"]
        np.testing.assert_array_equal(values, VALUES + number)
    assert not {"index.csv", "settings.json"} & {p.name for p in tmp_path.iterdir()}


def test_hdf5_forgets_what_was_removed_and_takes_what_changed(tmp_path):
    store = FeatureFiles(tmp_path, "h5", SETTINGS)
    for name in ("a", "a/b", "c"):
        store.write(name, VALUES, TIMES)
    store.close()
    store = FeatureFiles(tmp_path, "h5", SETTINGS)
    store.remove("a")
    store.write("c", VALUES + 1, TIMES[:2])
    store.close()
    for found in (store, FeatureFiles(tmp_path, "h5", SETTINGS)):
        assert [found.has(name) for name in ("a", "a/b", "c")] == [False, True, True]
    with h5py.File(tmp_path / "features.h5") as file:
        np.testing.assert_array_equal(file["c/features"], VALUES + 1)
        assert file["c/times"].shape == (2, 2)


def test_a_full_disk_is_an_error_and_no_crash(tmp_path):
    """HDF5 ends the process when it cannot write; here, files end at 64 KB."""
    code = """
import resource, sys
import numpy as np
from kinetics_i3d_tf2.features.files import FeatureFiles
store = FeatureFiles(sys.argv[1], "h5", {})
for name in "abc":
    store.write(name, np.zeros((1, 10000), np.float32), np.zeros((1, 2)))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
try:
    store.close()
except OSError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path}/features.h5: cannot be written: File ")
    store = FeatureFiles(tmp_path, "h5", {})
    assert all(map(store.has, "abc"))
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["features.h5"]
