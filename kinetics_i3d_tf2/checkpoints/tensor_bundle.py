"""The two files of a TensorFlow checkpoint: found, read with checks, written whole.

TensorFlow calls the format a tensor bundle: an index with names, shapes, dtypes and
checksums, and the data file next to it. It is imported when a file is opened, so that
a wrong path is reported at once.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ..utils import files

_INDEX, _DATA = ".index", ".data-00000-of-00001"


class BundleReader:
    """An existing checkpoint, opened once.

    Opening reads the index; the data file is read, and copied from an address, when
    the first tensor is.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it.

    Raises:
        OSError: there is no such checkpoint, or it may not be read.
        ValueError: the index is truncated or corrupt.

    Attributes:
        prefix: prefix of the checkpoint, a string if it is an address.
        fingerprint: identifies the content wherever it is, 16 hex digits; from the
            index, which holds checksums of all tensors.
    """

    def __init__(self, path: str | os.PathLike):
        self.prefix = find_prefix(path)
        index = f"{self.prefix}{_INDEX}"
        if not files.exists(index):
            raise FileNotFoundError(
                f"{index}: there is no such checkpoint file, nor is {self.prefix} a "
                "folder"
            )
        with files.open_file(index, "rb") as file:
            content = file.read()
        self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
        self._local = os.fspath(self.prefix)
        self._has_data = not files.is_address(self._local)
        if not self._has_data:
            # TensorFlow lists the folder, and HTTP has no folders.
            self._copy = tempfile.TemporaryDirectory()
            self._local = os.path.join(self._copy.name, "model.ckpt")
            Path(self._local + _INDEX).write_bytes(content)
        import tensorflow as tf

        self._errors = (tf.errors.OpError, RuntimeError, ValueError, IndexError)
        try:
            self._reader = tf.train.load_checkpoint(self._local)
        except self._errors as error:
            raise ValueError(
                f"{index}: is truncated or corrupt: {_first_line(error)}"
            ) from error

    def entries(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name, shape and dtype's name of every tensor, by name."""
        dtypes = self._reader.get_variable_to_dtype_map()
        shapes = self._reader.get_variable_to_shape_map()
        return [
            (name, tuple(shapes[name]), dtypes[name].name) for name in sorted(shapes)
        ]

    def read(self, name: str) -> np.ndarray:
        """The value of a tensor; the checksum in the index is checked.

        Args:
            name: its name in the checkpoint.

        Raises:
            OSError: the data file is missing, or cannot be copied from an address.
            ValueError: the data file is truncated or corrupt.
        """
        data = f"{self.prefix}{_DATA}"
        try:
            if not self._has_data and files.exists(data):
                files.copy_to_local(data, self._local + _DATA)
                self._has_data = True
            return self._reader.get_tensor(name)
        except self._errors as error:
            if not files.exists(data):
                raise FileNotFoundError(
                    f"{data}: is missing; a checkpoint is its index and its data file"
                ) from error
            raise ValueError(
                f"{data}: is truncated or corrupt, at {name}: {_first_line(error)}"
            ) from error


def write_bundle(prefix: str | Path, values: dict[str, np.ndarray]) -> None:
    """Writes a checkpoint aside and moves its two files into place when they are whole.

    Tensors are written in order of name, like the release's. The weights of a released
    checkpoint therefore give its files again, byte for byte.

    Args:
        prefix: where to, local or an address; missing folders are made.
        values: tensors by name.

    Raises:
        OSError: the files cannot be written.
    """
    if files.is_address(prefix):
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "model.ckpt")
            write_bundle(written, values)
            for suffix in (_DATA, _INDEX):
                with files.atomic_writer(f"{prefix}{suffix}") as path:
                    shutil.move(f"{written}{suffix}", path)
        return
    import tensorflow as tf

    prefix = Path(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    aside = prefix.parent / f".{prefix.name}.saving"
    shutil.rmtree(aside, ignore_errors=True)  # A killed process left it.
    aside.mkdir()
    try:
        names = sorted(values)
        tf.raw_ops.SaveV2(
            prefix=os.fspath(aside / prefix.name),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[values[name] for name in names],
        )
        _move_into_place(aside, prefix)
    except tf.errors.OpError as error:
        raise OSError(f"{prefix}: cannot be written: {error.message}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def find_prefix(path: str | os.PathLike) -> str | Path:
    """The prefix of a checkpoint, given itself, one of its files, or its folder.

    The text file `checkpoint` is not followed: the released ones name a folder of
    their authors' machine.

    Args:
        path: any of the three; of a folder with several checkpoints, `model.ckpt`.

    Returns:
        The prefix, a string if it is an address; whether there is such a checkpoint is
        not checked.

    Raises:
        OSError: the folder holds no checkpoint, or several of other names.
    """
    kind = str if files.is_address(path) else Path
    if not files.is_dir(path):
        return kind(re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", os.fspath(path)))
    found = files.matching(files.join(path, "*.index"))
    names = [file.rsplit("/", 1)[-1] for file in found]
    if "model.ckpt.index" in names:
        return kind(files.join(path, "model.ckpt"))
    if len(found) == 1:
        return kind(found[0].removesuffix(".index"))
    names = ", ".join(names) or "no *.index file"
    raise FileNotFoundError(
        f"{path}: no checkpoint model.ckpt in this folder, which holds {names}; name "
        "the checkpoint by its prefix"
    )


def _move_into_place(aside, prefix):
    """Moves a saved checkpoint over an older one.

    The second name for the old data keeps the first move from deleting it, which takes
    far longer than a move: the two moves are microseconds apart. The index, with its
    checksums, comes last.
    """
    data, index = f"{prefix.name}{_DATA}", f"{prefix.name}{_INDEX}"
    with contextlib.suppress(OSError):  # There is none, or no second names.
        os.link(prefix.parent / data, aside / "old")
    for name in (data, index):
        os.replace(aside / name, prefix.parent / name)


def _first_line(error):
    return str(error).strip().split("\n")[0][:200]
