"""The two files of a TensorFlow checkpoint: found, read with checks, written whole.

TensorFlow calls the format a tensor bundle: an index with names, shapes, dtypes and
checksums, and the data file next to it. Files are read by `bundle_index`, without
TensorFlow, which writes them.
"""

import contextlib
import hashlib
import os
import re
import shutil
from pathlib import Path

import numpy as np

from ...utils import file_system, files, walk
from ...utils.scratch import temporary_folder
from ...utils.tensorflow_errors import as_write_errors
from .bundle_index import parse_index
from .sorted_table import read_content
from .tensor_data import read_tensor

_INDEX, _DATA = ".index", ".data-00000-of-00001"
_MAX_INDEX = 1 << 26  # bytes; the released ones have 20 thousand


class BundleReader:
    """An existing checkpoint, opened once.

    Opening reads and checks the index; the data file is read, and copied from an
    address, when the first tensor is. TensorFlow reads neither: it ends the process at
    some crafted files.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it.

    Raises:
        OSError: there is no such checkpoint, or it may not be read.
        ValueError: the index is truncated or corrupt, or the data file is too short
            for it.

    Attributes:
        prefix: prefix of the checkpoint, a string if it is an address.
        title: what errors call it: the prefix, or the file that it was imported from.
        fingerprint: identifies the content wherever it is, 16 hex digits; from the
            index, which holds checksums of all tensors.
    """

    def __init__(self, path: str | os.PathLike):
        self.prefix = find_prefix(path)
        self.title = files.redact(self.prefix)
        path = files.add_suffix(self.prefix, _INDEX)
        if not files.exists(path):
            hint = ""
            if files.exists(self.prefix):
                hint = "; import_weights (i3d checkpoint import) reads other formats"
            raise FileNotFoundError(
                f"{files.redact(path)}: there is no such checkpoint file, nor is "
                f"{self.title} a folder{hint}"
            )
        content = read_content(path, _MAX_INDEX, "the index of a checkpoint")
        self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
        try:
            self._index = parse_index(content)
        except ValueError as error:
            raise ValueError(
                f"{files.redact(path)}: is truncated or corrupt: {error}"
            ) from error
        self._local = os.fspath(self.prefix)
        if files.is_address(self._local):
            self._copy = temporary_folder()
            self._local = os.path.join(self._copy.name, "model.ckpt")
        else:
            self._check_data(must_exist=False)

    def entries(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name, shape and dtype's name of every tensor, by name."""
        return [(name, e.shape, e.dtype) for name, e in self._index.entries.items()]

    def require_data(self) -> None:
        """Checks that the data file is there and as long as the index says.

        Raises:
            OSError: it is missing.
            ValueError: it is truncated.
        """
        self._check_data(must_exist=True)

    def read(self, name: str) -> np.ndarray | bytes:
        """The value of a tensor; the checksum in the index is checked.

        Args:
            name: its name in the checkpoint.

        Returns:
            The value; of a single text its bytes.

        Raises:
            OSError: the data file is missing, or cannot be copied from an address.
            ValueError: the data file is truncated or corrupt, or there is no such
                tensor, or one that NumPy has no type for.
        """
        entry = self._index.entries.get(name)
        if entry is None or not entry.is_readable:
            what = f"{name} is of the type {entry.dtype}" if entry else f"no {name}"
            path = files.redact(files.add_suffix(self.prefix, _INDEX))
            raise ValueError(f"{path}: holds {what}, which is not read")
        data = files.add_suffix(self.prefix, self._suffix(entry.shard))
        try:
            local = self._local_data(entry.shard)
            with open(local, "rb") as file:
                return read_tensor(file, entry)
        except FileNotFoundError as error:
            raise _missing(data) from error
        except ValueError as error:
            raise ValueError(
                f"{files.redact(data)}: is truncated or corrupt, at {name}: {error}"
            ) from error

    def _suffix(self, shard):
        return f".data-{shard:05d}-of-{self._index.num_shards:05d}"

    def _local_data(self, shard):
        """Path of a data file on this machine, where it is copied once."""
        suffix = self._suffix(shard)
        local = f"{self._local}{suffix}"
        if files.is_address(self.prefix) and not os.path.exists(local):
            files.copy_to_local(files.add_suffix(self.prefix, suffix), local)
        return local

    def _check_data(self, *, must_exist):
        for shard, needed in self._index.shard_sizes().items():
            path = files.add_suffix(self.prefix, self._suffix(shard))
            if not files.exists(path):
                if must_exist:
                    raise _missing(path)
                continue
            walk.require_regular(path)
            size = files.size(path)
            if size < needed:
                raise ValueError(
                    f"{files.redact(path)}: "
                    f"is truncated or corrupt: it has {size} bytes, and its "
                    f"index refers to {needed}"
                )


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
        with temporary_folder() as folder:
            written = Path(folder, "model.ckpt")
            write_bundle(written, values)
            for suffix in (_DATA, _INDEX):
                with files.atomic_writer(f"{prefix}{suffix}") as path:
                    shutil.move(f"{written}{suffix}", path)
        return
    import tensorflow as tf

    prefix = Path(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    # As versions before left it, when they were killed.
    shutil.rmtree(prefix.parent / f".{prefix.name}.saving", ignore_errors=True)
    with temporary_folder(prefix.parent) as folder:
        aside, names = Path(folder), sorted(values)
        with as_write_errors(prefix):
            tf.raw_ops.SaveV2(
                prefix=os.fspath(aside / prefix.name),
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[values[name] for name in names],
            )
        _move_into_place(aside, prefix)


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
    if kind is Path:
        path = file_system.follow(path)
    if not files.is_dir(path):
        name, query = files.split_query(path)
        return kind(re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", name) + query)
    found = files.matching(files.join(path, "*.index"))
    names = [file.rsplit("/", 1)[-1] for file in found]
    if "model.ckpt.index" in names:
        return kind(files.join(path, "model.ckpt"))
    if len(found) == 1:
        return kind(found[0].removesuffix(".index"))
    more = ", ..." if len(names) > 5 else ""
    names = ", ".join(names[:5]) + more or "no *.index file"
    raise FileNotFoundError(
        f"{files.redact(path)}: "
        f"no checkpoint model.ckpt in this folder, which holds {names}; name "
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


def _missing(path):
    return FileNotFoundError(
        f"{files.redact(path)}: is missing; a checkpoint is its index and its data file"
    )
