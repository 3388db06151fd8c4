"""PyTorch's files without PyTorch: the zip archives of today, and what came before 1.6.

Both hold a pickle in which tensors are windows into storages outside the pickle.

Source: `torch/serialization.py`; `torch._utils._rebuild_tensor_v2` for a tensor.
"""

import math
import zipfile
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import numpy as np

from .numpy_pickle import BUILDERS, check_sizes
from .stored import Stored, flatten
from .unpickler import CodeInPickleError, read_pickle

# First value of a file of PyTorch before 1.6.
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
    """Numbers outside the pickle."""

    dtype: str
    count: int
    read: Callable[[], bytes]


def is_legacy(head: bytes) -> bool:
    """Whether the first bytes of a file are those of PyTorch before 1.6."""
    number = LEGACY_MAGIC.to_bytes(10, "little")
    return head[:1] == b"\x80" and number in head[:16]


def read_zip(archive: zipfile.ZipFile) -> dict[str, Stored]:
    """Reads the tensors of a zip archive that `torch.save` wrote.

    Args:
        archive: the open archive; tensors are read from it when they are used.

    Returns:
        Tensors by path, `state_dict/Conv3d_1a_7x7.conv3d.weight`.

    Raises:
        CodeInPickleError: it holds a program, or objects other than tensors.
        ValueError: it is truncated or corrupt.
    """
    names = archive.namelist()
    (pickled,) = [name for name in names if name.endswith("/data.pkl")][:1]
    folder = pickled.removesuffix("data.pkl")
    if any(name.startswith(f"{folder}code/") for name in names):
        raise CodeInPickleError("it is a TorchScript program, not weights alone")
    order = f"{folder}byteorder"
    if order in names and archive.read(order) != b"little":
        raise ValueError("its numbers are big-endian; save it on another machine")

    def storage(identity):
        dtype, key, count = _check_identity(identity)
        entry = archive.getinfo(f"{folder}data/{key}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{entry.filename} is compressed; PyTorch compresses none")
        if entry.file_size < count * _item_size(dtype):
            raise ValueError(f"{entry.filename} holds fewer than {count} numbers")
        return _Storage(dtype, count, lambda: archive.read(entry))

    with archive.open(pickled) as file:
        return flatten(_read(file, storage))


def read_legacy(file: BinaryIO) -> dict[str, Stored]:
    """Reads the tensors of a file that `torch.save` wrote before PyTorch 1.6.

    Args:
        file: the open file, at its start; tensors are read from it when they are used.

    Returns:
        Tensors by path.

    Raises:
        CodeInPickleError: it holds objects other than tensors.
        ValueError: it is truncated or corrupt.
    """
    magic, protocol, system = (read_pickle(file, BUILDERS) for _ in range(3))
    if magic != LEGACY_MAGIC or protocol != _LEGACY_PROTOCOL:
        raise ValueError(f"is of an unknown protocol of PyTorch: {protocol!r:.40}")
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise ValueError("its numbers are big-endian; save it on another machine")
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
    """Notes where each storage of a legacy file begins; they follow one another."""
    place = file.tell()
    end = file.seek(0, 2)
    for key in keys:
        if key not in sizes:
            raise ValueError(f"nothing uses the storage {key!r:.40}")
        places[key] = place + 8  # Behind its count.
        place += 8 + sizes[key]
    if place > end:
        raise ValueError(f"is truncated: {end} of {place} bytes")


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
    """Type, key and size out of a persistent id."""
    if not isinstance(identity, tuple) or len(identity) < 5:
        raise ValueError(f"no valid storage: {identity!r:.80}")
    if identity[0] != "storage":  # ("module", class, file, source code)
        raise CodeInPickleError(f"the pickle holds the source of a {identity[0]!r:.20}")
    kind, key, _, count = identity[1:5]
    if len(identity) > 5 and identity[5] is not None:
        raise ValueError("a storage is a view of another, as PyTorch 0.3 wrote them")
    name = getattr(kind, "name", "").removeprefix("torch.")
    if name not in _STORAGES or not isinstance(key, str):
        raise ValueError(f"no valid storage: {identity!r:.80}")
    check_sizes("size of a storage", (count,))
    return _STORAGES[name], key, count


def _window(storage, offset, size, strides):
    """A tensor over a storage, which must lie within it and not repeat values."""
    size, strides = check_sizes("shape", size), check_sizes("strides", strides)
    (offset,) = check_sizes("offset", (offset,))
    if len(size) != len(strides):
        raise ValueError(f"a tensor has {len(size)} axes and {len(strides)} strides")
    last = offset + sum((n - 1) * step for n, step in zip(size, strides, strict=True))
    count = math.prod(size)
    if count and (last >= storage.count or count > storage.count):
        raise ValueError(f"a tensor {list(size)} lies outside its storage")

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
        raise ValueError(f"a storage has {len(data)} of {needed} bytes")
    if storage.dtype != _BFLOAT16:
        return np.frombuffer(data, storage.dtype, storage.count)
    upper = np.frombuffer(data, "<u2", storage.count).astype("<u4")
    return (upper << 16).view("<f4")


def _item_size(dtype):
    return 2 if dtype == _BFLOAT16 else np.dtype(dtype).itemsize
