"""Checkpoints compared with the release, and converted for other frameworks."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..arguments import suggest_arguments
from ..utils import files, whole_files
from ..utils.scratch import temporary_folder
from . import released
from .file_formats.tensor_bundle import find_prefix
from .importers.families import PYTORCH
from .importers.proof import Proof, compare_with_release
from .importers.recognize import read_weights
from .importers.units import UNITS
from .pretrained import open_weights

_PARTS = (".index", ".data-00000-of-00001")


@suggest_arguments
def verify_checkpoint(path: str | os.PathLike, *, root: str | os.PathLike = ".") -> str:
    """Compares a checkpoint with the released ones.

    Args:
        path: a checkpoint, or a file that `import_weights` takes.
        root: folder that contains `checkpoints/`. If the closest released checkpoint
            is in it, the largest differences are reported.

    Returns:
        One line that names the released checkpoint with equal weights and its git blob
        id, or the tensors that differ from the closest one.

    Raises:
        OSError: a file is missing, or cannot be read.
        ValueError: as `import_weights`.
    """
    found = _blob_ids(path)
    for name, blob_ids in _released_blob_ids().items():
        if found == blob_ids:
            return (
                f"{files.redact(path)} is {name} of the release, both files byte for "
                f"byte (blobs {' and '.join(blob_ids)})"
            )
    proof: Proof = compare_with_release(read_weights(path).values, root=root)
    return proof.describe(files.redact(path))


@suggest_arguments
def export_weights(
    path: str | os.PathLike, out: str | os.PathLike, format: str
) -> None:
    """Converts a checkpoint to the weights file of another framework.

    Args:
        path: a checkpoint, or a file that `import_weights` takes.
        out: file to write, local or an address.
        format: "pytorch" for a `.pt` state dict of piergiaj/pytorch-i3d, with a batch
            norm scale of 1 (needs PyTorch), or "keras" for a `.keras` file of
            `InceptionI3d`.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: as `import_weights`; an unknown format; PyTorch is not installed.
    """
    if format not in _WRITERS:
        raise ValueError(
            f"format must be {' or '.join(_WRITERS)}. Received: {format!r}"
        )
    writer, suffix = _WRITERS[format]
    if not os.fspath(out).endswith(suffix):
        raise ValueError(
            f"The name of {format} files ends in {suffix[0]}. Received: {out}"
        )
    with temporary_folder() as folder, whole_files.write_errors_of(out, folder):
        written = Path(folder, f"weights{suffix[0]}")
        writer(path, written)
        with files.atomic_writer(out) as aside:
            shutil.copyfile(written, aside)


def pytorch_state(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Converts weights to the names and layout of piergiaj/pytorch-i3d.

    Args:
        values: float32 weights by Sonnet name without scope.

    Returns:
        Arrays by name; kernels are `(out, in, time, height, width)`.
    """
    state = {}
    for unit in UNITS:
        kernel = values.get(f"{unit.scope}/conv_3d/w")
        if kernel is None:
            continue
        state[PYTORCH.name(unit, "kernel")] = kernel.transpose(4, 3, 0, 1, 2)
        if unit.is_classifier:
            state[PYTORCH.name(unit, "bias")] = values[f"{unit.scope}/conv_3d/b"]
            continue
        ones = np.ones(kernel.shape[-1], np.float32)
        state[PYTORCH.name(unit, "gamma")] = ones
        for role in ("beta", "moving_mean", "moving_variance"):
            value = values[f"{unit.scope}/batch_norm/{role}"]
            state[PYTORCH.name(unit, role)] = value
        # PyTorch counts training batches.
        state[f"{PYTORCH.scope(unit)}.bn.num_batches_tracked"] = np.zeros((), np.int64)
    return state


def _write_pytorch(source, path):
    try:
        import torch
    except ImportError as error:
        raise ValueError(
            "PyTorch files need PyTorch: pip install 'kinetics-i3d-tf2[ports]'"
        ) from error
    state = pytorch_state(read_weights(source).values)
    torch.save({n: torch.from_numpy(v.copy()) for n, v in state.items()}, path)


def _write_keras(source, path):
    open_weights(source).build_model(dtype="float32").save(path)


# The function that writes a format, and the suffixes of its files.
_WRITERS = {
    "pytorch": (_write_pytorch, (".pt", ".pth")),
    "keras": (_write_keras, (".keras",)),
}


def _released_blob_ids():
    return {
        name: tuple(file.blob_id for file in known)
        for name, known in released.RELEASED.items()
        if name in released.CHECKPOINTS
    }


def _blob_ids(path):
    """Git blob ids of the two files of a checkpoint, or None for other files."""
    try:
        prefix = find_prefix(path)
        return tuple(released.blob_id(f"{prefix}{part}") for part in _PARTS)
    except OSError:
        return None
