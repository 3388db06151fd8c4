"""Tensors in the data files of checkpoints.

Source: tensor_bundle.cc and types.proto of TensorFlow.
"""

import itertools
import math
import os
import struct
from typing import NamedTuple

import google_crc32c
import numpy as np

from .wire_format import masked_crc, read_varint

# Of types.proto. Those that NumPy lacks are listed, and not read.
DTYPES = {
    **{1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8"},
    **{7: "string", 8: "complex64", 9: "int64", 10: "bool", 11: "qint8"},
    **{12: "quint8", 13: "qint32", 14: "bfloat16", 15: "qint16", 16: "quint16"},
    **{17: "uint16", 18: "complex128", 19: "float16", 20: "resource", 21: "variant"},
    **{22: "uint32", 23: "uint64", 24: "float8_e5m2", 25: "float8_e4m3fn"},
}
_OF_ML_DTYPES = ("bfloat16", "float8_e5m2", "float8_e4m3fn")
ITEM_SIZES = {
    **dict.fromkeys(("uint8", "int8", "bool", "float8_e5m2", "float8_e4m3fn"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32"), 4),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    "complex128": 16,
}
STRING = "string"


class TensorPlace(NamedTuple):
    """A tensor in the data files of a checkpoint."""

    shape: tuple[int, ...]
    dtype: str
    shard: int  # number of its data file
    offset: int  # bytes
    size: int  # bytes
    crc: int  # masked CRC32C

    @property
    def is_readable(self) -> bool:
        """Whether NumPy has its type."""
        return self.dtype in ITEM_SIZES or self.dtype == STRING


def read_tensor(file, entry: TensorPlace) -> np.ndarray | bytes:
    """Reads a tensor from its data file.

    Args:
        file: the file, open for reading bytes.
        entry: what the index says of it; `entry.is_readable`.

    Returns:
        Its value; texts are bytes in an array of objects, a single text its bytes.

    Raises:
        ValueError: the file ends before it, or its checksum is wrong.
    """
    file.seek(0, os.SEEK_END)
    if entry.offset + entry.size > file.tell():
        raise ValueError("the file ends before")
    file.seek(entry.offset)
    content = np.empty(entry.size, np.uint8)
    if file.readinto(content) != entry.size:
        raise ValueError("the file ends before")
    if entry.dtype == STRING:
        return _texts(content.tobytes(), entry)
    if masked_crc(google_crc32c.value(content.tobytes())) != entry.crc:
        raise ValueError("the checksum is wrong")
    return content.view(_numpy_dtype(entry.dtype)).reshape(entry.shape)


def _numpy_dtype(name):
    if name not in _OF_ML_DTYPES:
        return np.dtype(name)
    import ml_dtypes  # TensorFlow's own, for what NumPy lacks.

    return np.dtype(getattr(ml_dtypes, name))


def _texts(content, entry):
    """Their lengths, a checksum of these, and then the texts, one after another."""
    lengths, place, crc = [], 0, 0
    view = memoryview(content)
    for _ in range(math.prod(entry.shape)):
        length, place = read_varint(view, place)
        lengths.append(length)
        # As TensorFlow's restored integers, not as they are stored.
        restored = struct.pack("<I" if length < 1 << 32 else "<Q", length)
        crc = google_crc32c.extend(crc, restored)
    checksum = struct.pack("<I", masked_crc(crc))
    texts = content[place + 4 :]
    if content[place : place + 4] != checksum or sum(lengths) != len(texts):
        raise ValueError("the lengths of its texts are wrong")
    crc = google_crc32c.extend(google_crc32c.extend(crc, checksum), texts)
    if masked_crc(crc) != entry.crc:
        raise ValueError("the checksum is wrong")
    if not entry.shape:
        return texts
    ends = np.cumsum([0, *lengths])
    values = np.empty(len(lengths), object)
    values[:] = [texts[a:b] for a, b in itertools.pairwise(ends)]
    return values.reshape(entry.shape)
