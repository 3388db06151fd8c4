"""Whole models in `.keras` files: configuration, class names and weights."""

import contextlib
import os
import zipfile
from pathlib import Path

import keras

from ..models.architecture import ENDPOINTS, scaled, unit_filters
from ..models.registry import ARCHITECTURES
from ..utils import files
from ..utils.scratch import temporary_folder
from .importers import hdf5
from .importers.recognize import explained

_POLICY = "keras.DTypePolicy"
# Names in a file of `InceptionI3d` of the first kernel and of the classifier's bias.
_FIRST = "layers/unit3d/convolution/vars/0"
_BIAS = "layers/logits/classifier/convolution/vars/1"
_FILTERS = unit_filters(1.0)["Conv3d_1a_7x7"]


def is_keras_file(path: str | os.PathLike) -> bool:
    """Whether a file was written by Keras's `model.save`.

    Args:
        path: local path, of which the content counts, or an address, of which the
            suffix does.
    """
    if files.is_address(path):
        return files.without_query(path).endswith(".keras")
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
            folder = stack.enter_context(temporary_folder())
            local = Path(folder, "model.keras")
            files.copy_to_local(path, local)
        with zipfile.ZipFile(local) as archive:
            config = hdf5.read_config(archive)
            found = config["class_name"]
            if found == "InceptionI3d":
                _check_sizes(config["config"], hdf5.read_keras(archive))
        known = [entry.class_name for entry in ARCHITECTURES.values()]
        if found not in known:
            raise ValueError(
                f"contains the Keras model {found!r:.60}, not one of "
                f"{', '.join(known)}; load it with keras.models.load_model"
            )
        _check_objects(config)
        # Keras goes by the suffix.
        if not os.fspath(local).endswith(".keras"):
            folder = stack.enter_context(temporary_folder())
            (link := Path(folder, "model.keras")).symlink_to(Path(local).resolve())
            local = link
        return keras.saving.load_model(local, compile=False, safe_mode=True)


def _check_objects(config):
    """Raises if Keras would build anything but our model and its dtype policy.

    Keras's own safe mode had gaps in several versions.
    """
    registered = f"{__package__.partition('.')[0]}>{config['class_name']}"
    found = _objects([config["config"], config.get("build_config")])
    others = sorted({str(name) for name in found} - {_POLICY})
    if config.get("registered_name") != registered:
        others.insert(0, str(config.get("registered_name")))
    if others:
        raise ValueError(
            f"contains the object {others[0]:.80}, which {config['class_name']} does "
            "not need; nothing was loaded"
        )


def _objects(value):
    """Yields names of the classes and functions that a configuration refers to."""
    if isinstance(value, dict):
        if {"class_name", "module", "registered_name"} & set(value):
            yield f"{value.get('module')}.{value.get('class_name')}"
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _check_sizes(config, tensors):
    """Compares configuration and weights before a model of that size is built."""
    width, channels = config["width"], config["num_channels"]
    expected = {_FIRST: (7, 7, 7, channels, scaled(_FILTERS, width))}
    if config["final_endpoint"] in ENDPOINTS[-2:]:
        expected[_BIAS] = (config["num_classes"],)
    for name, shape in expected.items():
        found = tensors[name].shape if name in tensors else None
        if found != shape:
            raise ValueError(
                f"is corrupt: {name} has the shape {found}, and the configuration "
                f"needs {shape}"
            )
