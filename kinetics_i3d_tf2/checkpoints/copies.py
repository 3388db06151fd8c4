"""Copies of checkpoints without the state of a training."""

import dataclasses
import os
from pathlib import Path

from ..data import labels
from ..utils import files
from .checkpoint import Checkpoint
from .config import label_map_name, write_config
from .file_formats.tensor_bundle import BundleReader, write_bundle


def copy_weights(path: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Copies a checkpoint without its optimizer's slots, and the files next to it.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        folder: where `model.ckpt`, `label_map.txt` and `config.json` are written; the
            latter two if the checkpoint has them.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: the checkpoint is truncated or corrupt.
    """
    source = Checkpoint(path)
    names = [entry.name for entry in source.variables if not entry.is_slot]
    target = files.join(folder, "model.ckpt")
    target = target if files.is_address(target) else Path(target)
    write_bundle(target, {name: source.read(name) for name in names})
    if label_map_name(source.prefix) is not None:
        label_map = files.sibling(source.prefix, labels.LABEL_MAP)
        labels.write_label_map(
            files.join(folder, labels.LABEL_MAP), labels.read_label_map(label_map)
        )
    if source.config is not None:
        fingerprint = BundleReader(target).fingerprint
        config = dataclasses.replace(source.config, fingerprint=fingerprint)
        write_config(target, config)
