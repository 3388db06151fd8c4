"""Reads PyTorch files without PyTorch: zip archives, and the format before 1.6.

Both contain a pickle in which tensors are views of storages outside the pickle.

Source: `torch/serialization.py`; `torch._utils._rebuild_tensor_v2` for a tensor.
"""

import math
import zipfile
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import numpy as np

from .numpy_pickle import BUILDERS, check_sizes
from .pickle_machine import CodeInPickleError
from .stored import Stored, flatten
from .unpickler import read_pickle

# First value in a file written before PyTorch 1.6.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001

_BFLOAT16 = "bfloat16"
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


class _Storage(NamedTuple):
    """Raw numbers outside the pickle."""

    dtype: str
    count: int
    read: Callable[[], bytes]


def is_legacy(head: bytes) -> bool:
    """Whether a file with these first bytes was written before PyTorch 1.6."""
    number = LEGACY_MAGIC.to_bytes(10, "little")
    return head[:1] == b"\x80" and number in head[:16]


def read_zip(archive: zipfile.ZipFile) -> dict[str, Stored]:
    """Lists the tensors in a zip archive written by `torch.save`.

    Args:
        archive: the archive, open until the tensors have been read.

    Returns:
        Tensors by path, `state_dict/Conv3d_1a_7x7.conv3d.weight`.

    Raises:
        CodeInPickleError: it contains a program, or objects other than tensors.
        ValueError: it is truncated or corrupt.
    """
    names = archive.namelist()
    (pickled,) = [name for name in names if name.endswith("/data.pkl")][:1]
    folder = pickled.removesuffix("data.pkl")
    if any(name.startswith(f"{folder}code/") for name in names):
        raise CodeInPickleError("it is a TorchScript program")
    order = f"{folder}byteorder"
    if order in names and archive.read(order) != b"little":
        raise ValueError("big-endian files are not supported")

    def storage(identity):
        dtype, key, count = _check_identity(identity)
        entry = archive.getinfo(f"{folder}data/{key}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{entry.filename} is compressed, unlike PyTorch files")
        if entry.file_size < count * _item_size(dtype):
            raise ValueError(f"{entry.filename} has fewer than {count} numbers")
        return _Storage(dtype, count, lambda: archive.read(entry))

    with archive.open(pickled) as file:
        return flatten(_read(file, storage))


def read_legacy(file: BinaryIO) -> dict[str, Stored]:
    """Lists the tensors in a file written by `torch.save` before PyTorch 1.6.

    Args:
        file: the file at its start, open until the tensors have been read.

    Returns:
        Tensors by path.

    Raises:
        CodeInPickleError: it contains objects other than tensors.
        ValueError: it is truncated or corrupt.
    """
    magic, protocol, system = (read_pickle(file, BUILDERS) for _ in range(3))
    if magic != LEGACY_MAGIC or protocol != _LEGACY_PROTOCOL:
        raise ValueError(f"has an unknown PyTorch protocol: {protocol!r:.40}")
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise ValueError("big-endian files are not supported")
    places = {}

    def storage(identity):
        dtype, key, count = _check_identity(identity)

        def read():
            if key not in places:
                raise ValueError(f"the storage {key} is missing")
            file.seek(places[key])
            return file.read(count * _item_size(dtype))

        sizes[key] = count * _item_size(dtype)
        return _Storage(dtype, count, read)

    sizes = {}
    tree = _read(file, storage)
    keys = read_pickle(file, BUILDERS)
    _locate(file, keys, sizes, places)
    return flatten(tree)


def _locate(file, keys, sizes, places):
    """Computes where each storage begins in a legacy file."""
    place = file.tell()
    end = file.seek(0, 2)
    for key in keys:
        if not isinstance(key, str) or key not in sizes:
            raise ValueError(f"no tensor uses the storage {key!r:.40}")
        places[key] = place + 8  # After the count.
        place += 8 + sizes[key]
    if place > end:
        raise ValueError(f"is truncated, {end} of {place} bytes")


def _read(file, storage):
    def tensor(storage, offset, size, strides, *rest):
        if not isinstance(storage, _Storage):
            raise ValueError("a tensor has no storage")
        return _window(storage, offset, size, strides)

    storages = {f"torch.{name}": None for name in _STORAGES}
    builders = {
        **BUILDERS,
        **storages,
        "torch.Size": lambda sizes: tuple(sizes),
        "torch._utils._rebuild_tensor": tensor,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": lambda data, *rest: data,
    }
    return read_pickle(file, builders, storage)


def _check_identity(identity):
    """Dtype, key and size from a persistent id."""
    if not isinstance(identity, tuple) or len(identity) < 5:
        raise ValueError(f"invalid storage: {identity!r:.80}")
    if identity[0] != "storage":  # ("module", class, file, source code)
        raise CodeInPickleError(f"the pickle contains a {identity[0]!r:.20}")
    kind, key, _, count = identity[1:5]
    if len(identity) > 5 and identity[5] is not None:
        raise ValueError("views of storages (PyTorch 0.3) are not supported")
    name = getattr(kind, "name", "").removeprefix("torch.")
    if name not in _STORAGES or not isinstance(key, str):
        raise ValueError(f"invalid storage: {identity!r:.80}")
    check_sizes("size of a storage", (count,))
    return _STORAGES[name], key, count


def _window(storage, offset, size, strides):
    """A tensor as a view of a storage, within its bounds and without repeats."""
    size, strides = check_sizes("shape", size), check_sizes("strides", strides)
    (offset,) = check_sizes("offset", (offset,))
    if len(size) != len(strides):
        raise ValueError(f"a tensor has {len(size)} axes and {len(strides)} strides")
    last = offset + sum((n - 1) * step for n, step in zip(size, strides, strict=True))
    count = math.prod(size)
    if count and (last >= storage.count or count > storage.count):
        raise ValueError(f"a tensor of shape {list(size)} exceeds its storage")

    def read():
        flat = _numbers(storage)
        if not count:
            return np.empty(size, flat.dtype)
        steps = [step * flat.itemsize for step in strides]
        return np.lib.stride_tricks.as_strided(
            flat[offset:], size, steps, writeable=False
        )

    name = storage.dtype
    name = name if name == _BFLOAT16 else np.dtype(name).name
    return Stored(size, name, read)


def _numbers(storage):
    data = storage.read()
    needed = storage.count * _item_size(storage.dtype)
    if len(data) < needed:
        raise ValueError(f"is truncated, a storage has {len(data)} of {needed} bytes")
    if storage.dtype != _BFLOAT16:
        return np.frombuffer(data, storage.dtype, storage.count)
    upper = np.frombuffer(data, "<u2", storage.count).astype("<u4")
    return (upper << 16).view("<f4")


def _item_size(dtype):
    return 2 if dtype == _BFLOAT16 else np.dtype(dtype).itemsize
