"""Weights in HDF5: `.h5` files of Keras 1 to 3, and the file inside a `.keras` file.

Only datasets are read. No model is built from a configuration, and no attribute is
unpickled.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

import h5py
import numpy as np

from .stored import Stored

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_KERAS_CONFIG = "config.json"
KERAS_WEIGHTS = "model.weights.h5"
_CLASS = "InceptionI3d"

# Limit on memory per byte of compressed data; weights hardly compress.
_MAX_RATIO = 64


class Settings(NamedTuple):
    """What a file says of its model besides the weights.

    Attributes:
        class_names: names of the classes, by index, if it has them.
        temporal: as of `InceptionI3d`, and so is the next.
        activation: what makes probabilities of its logits.
    """

    class_names: tuple[str, ...] | None = None
    temporal: str = "mean"
    activation: str = "softmax"


def read_hdf5(file) -> dict[str, Stored]:
    """Lists the datasets in a file.

    Args:
        file: path or binary file, open until the tensors have been read.

    Returns:
        Tensors by path in the file. In files of `model.save_weights` and `model.save`,
        by the name of the weight, without the group of its layer and without ":0".

    Raises:
        OSError: it is truncated or corrupt.
        ValueError: a dataset refers to other files, or needs excessive memory.
    """
    opened = h5py.File(file, "r")
    root = opened["model_weights"] if "model_weights" in opened else opened
    by_layer = "layer_names" in root.attrs
    found = {}
    for path, dataset in _datasets(opened):
        name = path
        if by_layer:
            below = path.removeprefix("model_weights/")
            if below == path and root is not opened:
                name = path  # The optimizer's.
            else:
                name = below.split("/", 1)[-1]
        found[re.sub(r":0$", "", name)] = _stored(path, dataset)
    return found


def read_keras(archive: zipfile.ZipFile) -> dict[str, Stored]:
    """Lists the tensors in a `.keras` file of `InceptionI3d`.

    Args:
        archive: the open archive.

    Returns:
        Tensors by path in the HDF5 file inside.

    Raises:
        OSError: it is truncated or corrupt.
        ValueError: it contains another model.
    """
    name = read_config(archive)["class_name"]
    if name != _CLASS:
        raise ValueError(
            f"contains the Keras model {name!r:.60}, not {_CLASS}; load it with "
            "keras.models.load_model"
        )
    entry = archive.getinfo(KERAS_WEIGHTS)
    if entry.file_size > _MAX_RATIO * max(entry.compress_size, 1):
        raise ValueError(f"{KERAS_WEIGHTS} needs far more memory than it has data")
    return read_hdf5(io.BytesIO(archive.read(entry)))


def is_keras(archive: zipfile.ZipFile) -> bool:
    """Whether an archive is a `.keras` file."""
    return {_KERAS_CONFIG, KERAS_WEIGHTS} <= set(archive.namelist())


def read_config(archive: zipfile.ZipFile) -> dict:
    """Reads the configuration of the model in a `.keras` file.

    Args:
        archive: the open archive.

    Returns:
        Its "class_name" and "config", which are a string and a dict.

    Raises:
        ValueError: it is corrupt.
    """
    try:
        content = json.loads(archive.read(_KERAS_CONFIG))
        if isinstance(content["class_name"], str):
            if isinstance(content["config"], dict):
                return content
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"is corrupt, in {_KERAS_CONFIG}: {error}") from error
    raise ValueError(f"is corrupt, in {_KERAS_CONFIG}")


def read_settings(archive: zipfile.ZipFile) -> Settings:
    """Reads what a `.keras` file says of its model besides the weights.

    Args:
        archive: the open archive.

    Raises:
        ValueError: it is corrupt.
    """
    content = read_config(archive)
    config = content["config"]
    names = config.get("class_names")
    if names is not None:
        is_list = isinstance(names, list)
        if not is_list or not all(isinstance(name, str) for name in names):
            raise ValueError(f"is corrupt, in class_names of {_KERAS_CONFIG}")
        names = tuple(names)
    if content["class_name"] != _CLASS:
        return Settings(names)
    # Files of earlier versions have neither.
    chosen = {n: config[n] for n in ("temporal", "activation") if config.get(n)}
    return Settings(names, **chosen)


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Datasets by path, without following links out of the file."""
    found = []
    group.visititems(lambda name, item: found.append((name, item)))
    for name, item in found:
        if isinstance(item, h5py.Dataset):
            yield name, item


def _stored(path, dataset):
    if dataset.external is not None or dataset.is_virtual:
        raise ValueError(f"{path} refers to another file")
    size = dataset.size or 0
    if size * dataset.dtype.itemsize > _MAX_RATIO * max(
        dataset.id.get_storage_size(), 1 << 12
    ):
        raise ValueError(f"{path} needs far more memory than it has data")
    return Stored(dataset.shape or (), dataset.dtype.name, lambda: np.asarray(dataset))
