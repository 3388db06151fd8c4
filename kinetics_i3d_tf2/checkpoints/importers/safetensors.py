"""Safetensors files: a JSON header of names, shapes and offsets, then the numbers.

Source: github.com/huggingface/safetensors, "Format".
"""

import json
import math
from typing import BinaryIO

import numpy as np

from .numpy_pickle import check_sizes
from .stored import Stored

_MAX_HEADER = 100_000_000  # the limit of the format's own library
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def is_safetensors(head: bytes) -> bool:
    """Whether a file with these first bytes has this format."""
    return len(head) > 8 and head[8:9] == b"{" and _length(head) <= _MAX_HEADER


def read_safetensors(file: BinaryIO) -> dict[str, Stored]:
    """Lists the tensors in a file.

    Args:
        file: the file, open until the tensors have been read.

    Returns:
        Tensors by name.

    Raises:
        ValueError: it is truncated or corrupt.
    """
    end = file.seek(0, 2)
    file.seek(0)
    length = _length(file.read(8))
    if length > end - 8:
        raise ValueError("is truncated, in its header")
    header = json.loads(file.read(length))
    start = 8 + length
    return {
        name: _stored(file, name, entry, start, end)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _stored(file, name, entry, start, end):
    shape = check_sizes("shape", entry["shape"])
    if entry["dtype"] not in _DTYPES:
        return Stored(shape, entry["dtype"], _refuse)
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    first, last = check_sizes("offsets", entry["data_offsets"])
    size = math.prod(shape) * dtype.itemsize
    if last - first != size or start + last > end:
        raise ValueError(f"is truncated or corrupt, at {name}")

    def read():
        file.seek(start + first)
        return np.frombuffer(file.read(size), dtype).reshape(shape)

    return Stored(shape, dtype.name, read)


def _refuse():
    raise ValueError("weights have no such dtype")


def _length(head):
    return int.from_bytes(head[:8], "little")
