"""Whole models in `.keras` files: configuration, class names and weights."""

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import keras

from ..models.registry import ARCHITECTURES
from ..utils import files
from .importers import hdf5
from .importers.recognize import explained


def is_keras_file(path: str | os.PathLike) -> bool:
    """Whether a file was written by Keras's `model.save`.

    Args:
        path: local path, of which the content counts, or an address, of which the
            suffix does.
    """
    if files.is_address(path):
        return os.fspath(path).endswith(".keras")
    if not os.path.isfile(path) or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return hdf5.is_keras(archive)


def load_keras(path: str | os.PathLike) -> keras.Model:
    """Loads the model in a `.keras` file, without its optimizer.

    `keras.models.load_model` loads the optimizer as well, to train on.

    Args:
        path: the file, local or an address.

    Returns:
        `InceptionI3d`, or another class of `models.registry.ARCHITECTURES`.

    Raises:
        OSError: there is no such file.
        ValueError: it is corrupt, or contains a model of another class.
    """
    with contextlib.ExitStack() as stack, explained(path):
        local = path
        if files.is_address(path):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            local = Path(folder, "model.keras")
            files.copy_to_local(path, local)
        with zipfile.ZipFile(local) as archive:
            found = hdf5.read_config(archive)["class_name"]
        known = [entry.class_name for entry in ARCHITECTURES.values()]
        if found not in known:
            raise ValueError(
                f"contains the Keras model {found!r:.60}, not one of "
                f"{', '.join(known)}; load it with keras.models.load_model"
            )
        # Keras goes by the suffix.
        if not os.fspath(local).endswith(".keras"):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            (link := Path(folder, "model.keras")).symlink_to(Path(local).resolve())
            local = link
        return keras.saving.load_model(local, compile=False)
