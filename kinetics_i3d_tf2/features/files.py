"""Files of features: a .npy or .npz file for each video, or one HDF5 for all."""

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np

from ..utils import files, whole_files

# Bytes of an HDF5 file for the names of a video, generously.
_OVERHEAD = 1 << 14
RESERVED = ("index.csv", "settings.json", "features.h5")
FORMATS = ("npz", "npy", "h5")

_ALL = "features.h5"  # The run locks its folder, and some file systems have no locks.
_PARTS = ".parts"


class FeatureFiles:
    """The features of many videos, in a folder; what is there is whole.

    Args:
        folder: the folder, which exists, or an address, except of kind "h5".
        kind: "npz" has `features`, `times` and `settings` (JSON) of a video in a file;
            "npy" its features, with its times in `NAME_times.npy`; "h5" all in
            `features.h5`: a group for each video with `features` and `times`, and the
            settings as attribute of the file. Until `close`, what is new for it is in
            files of its own.
        settings: what the features follow from, as JSON's types.

    Raises:
        OSError: a file of an earlier run cannot be read.
        ValueError: it is damaged, or another kind of file.
    """

    def __init__(self, folder: str | os.PathLike, kind: str, settings: dict):
        self._folder = os.fspath(folder)
        self._kind = kind
        self._settings = json.dumps(settings)
        self._in_one, self._removed = set(), set()
        self._uploaded = set()
        if files.is_address(folder):
            # One listing; a question for each video would take long.
            found = files.files_below(folder) if files.exists(folder) else []
            self._uploaded.update(found)
        path = files.join(folder, _ALL)
        if kind == "h5" and os.path.exists(path):
            try:
                with h5py.File(path, "r", locking=False) as file:
                    file.visititems(self._note)
            except OSError as error:
                raise ValueError(f"{path}: is no file of features") from error

    def place(self, name: str) -> str:
        """The file that the features of a video are in, when it is done."""
        if self._kind == "h5":
            return files.join(self._folder, _ALL)
        return files.join(self._folder, f"{name}.{self._kind}")

    def outputs(self, name: str) -> list[str]:
        """Files of a video, relative to the folder; in HDF5, its data sets and part."""
        if self._kind == "h5":
            return [*_data_sets(name), f"{_PARTS}/{name}.npz"]
        if self._kind == "npy":
            return [f"{name}.npy", f"{name}_times.npy"]
        return [f"{name}.npz"]

    def has(self, name: str) -> bool:
        """Whether a video is done."""
        if self._kind == "h5":
            return name in self._in_one or os.path.exists(self._part(name))
        path = self.place(name)
        return path in self._uploaded or os.path.exists(path)

    def write(self, name: str, values: np.ndarray, times: np.ndarray) -> None:
        """Writes the features of a video.

        Args:
            name: of the video; a path without a suffix.
            values: float32 `(windows, ...)`.
            times: float64 `(windows, 2)`, seconds.

        Raises:
            OSError: they cannot be written.
        """
        if self._kind == "npy":
            # The times first: where the values are, all is.
            files.remove(self.place(name))  # Of an earlier video.
            _save(files.join(self._folder, f"{name}_times.npy"), np.save, times)
            _save(self.place(name), np.save, values)
            self._uploaded.add(self.place(name))
            return
        path = self._part(name) if self._kind == "h5" else self.place(name)
        arrays = {"features": values, "times": times, "settings": self._settings}
        _save(path, np.savez, **arrays)
        self._uploaded.add(path)

    def remove(self, name: str) -> None:
        """Deletes the features of a video, if there are any.

        Raises:
            OSError: they cannot be deleted.
        """
        if self._kind == "h5":
            paths = [self._part(name)]
            if name in self._in_one:
                self._in_one.discard(name)
                self._removed.add(name)
        else:
            paths = [files.join(self._folder, each) for each in self.outputs(name)]
        for path in paths:
            files.remove(path)
            self._uploaded.discard(path)

    def close(self) -> None:
        """Puts the parts of an HDF5 together.

        Raises:
            OSError: it cannot be written.
        """
        parts = Path(self._folder, _PARTS)
        if self._kind != "h5" or not (parts.is_dir() or self._removed):
            return
        path = files.join(self._folder, _ALL)
        found = {
            str(part.relative_to(parts))[: -len(".npz")]: part
            for part in sorted(parts.rglob("*.npz"))
        }
        with files.atomic_writer(path) as temporary:
            # On a full disk, HDF5 ends the process.
            parts_size = sum(part.stat().st_size for part in found.values())
            earlier = os.path.getsize(path) if os.path.exists(path) else 0
            whole_files.require_space(
                temporary, earlier + parts_size + _OVERHEAD * (1 + len(found))
            )
            if os.path.exists(path):
                shutil.copyfile(path, temporary)
            self._merge(temporary, found)
        self._in_one |= set(found)
        self._removed.clear()
        shutil.rmtree(parts, ignore_errors=True)

    def _merge(self, path, found):
        """Moves parts into an HDF5 file, and deletes what was removed."""
        with h5py.File(path, "a", locking=False) as file:
            for name in {*self._removed, *found}:
                for data_set in _data_sets(name):
                    if data_set in file:  # Of an earlier video.
                        del file[data_set]
            for name, part in found.items():
                with np.load(part) as arrays:
                    for key in ("features", "times"):
                        file[f"{name}/{key}"] = arrays[key]
            file.attrs["settings"] = self._settings

    def _note(self, name, item):
        if isinstance(item, h5py.Dataset) and name.endswith("/features"):
            self._in_one.add(name.removesuffix("/features"))

    def _part(self, name):
        return files.join(self._folder, _PARTS, f"{name}.npz")


def _data_sets(name):
    return [f"{name}/features", f"{name}/times"]


def _save(path, save, *args, **kwargs):
    if not files.is_address(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with files.atomic_writer(path) as temporary, open(temporary, "wb") as file:
        save(file, *args, **kwargs)
