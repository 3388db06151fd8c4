"""Checkpoints of TensorFlow's first format, in one file: TF-slim's distributed ones.

Source: saved_tensor_slice.proto and tensor.proto of TensorFlow.
"""

import math
import os

import numpy as np

from ...utils import files
from .bundle_index import parse_shape
from .sorted_table import read_content, read_table
from .tensor_data import DTYPES
from .wire_format import fields_of, message_in, number_in

_MAX_SIZE = 1 << 30  # bytes
_FLOAT = "float32"


class FirstFormatReader:
    """A checkpoint of the first format; float32 tensors are read.

    Args:
        path: the file, local or an address.

    Raises:
        OSError: the file does not exist.
        ValueError: it is no such checkpoint, or is truncated or corrupt.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = path
        content = read_content(path, _MAX_SIZE, "a checkpoint in one file")
        try:
            self._tensors, self._data = _parse(content)
        except ValueError as error:
            raise ValueError(
                f"{files.redact(path)}: "
                "is no checkpoint of TensorFlow (an archive must be unpacked "
                f"first), or corrupt: {error}"
            ) from error

    def entries(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name, shape and dtype's name of every tensor, by name."""
        return [(name, *self._tensors[name]) for name in sorted(self._tensors)]

    def read(self, name: str) -> np.ndarray:
        """The value of a float32 tensor.

        Args:
            name: its name in the checkpoint.

        Raises:
            ValueError: it is of another type, is missing, or does not fill its shape.
        """
        shape, dtype = self._tensors.get(name, ((), None))
        if dtype != _FLOAT:
            raise ValueError(
                f"{files.redact(self._path)}: {name} is {dtype}, expected {_FLOAT}"
            )
        try:
            values = _floats(self._data.get(name, memoryview(b"")))
        except ValueError as error:
            raise ValueError(
                f"{files.redact(self._path)}: is corrupt, at {name}: {error}"
            ) from error
        if values.size != math.prod(shape):
            raise ValueError(
                f"{files.redact(self._path)}: "
                f"is corrupt, at {name}: it has {values.size} values and "
                f"the shape {shape}"
            )
        return values.reshape(shape)


def _parse(content):
    """Shapes and dtypes, and the encoded values, by name."""
    pairs = read_table(content)
    key, value = next(pairs, (None, b""))
    if key != b"":
        raise ValueError("it has no header")
    tensors, data = {}, {}
    for meta in fields_of(message_in(fields_of(value), 1)).get(1, []):
        name, shape, dtype = _parse_meta(meta)
        if name in tensors:
            raise ValueError(f"{name[:200]!r} appears twice")
        tensors[name] = shape, dtype
    for _, value in pairs:
        fields = fields_of(message_in(fields_of(value), 2))
        name = _text(fields, 1)
        if name in data:
            raise ValueError(f"{name[:200]!r} is partitioned, which is not read")
        data[name] = message_in(fields, 3)
    return tensors, data


def _parse_meta(meta):
    if not isinstance(meta, memoryview):
        raise ValueError("it has no list of tensors")
    fields = fields_of(meta)
    number = number_in(fields, 3)
    if number not in DTYPES:
        raise ValueError(f"there is no type {number}")
    return _text(fields, 1), parse_shape(message_in(fields, 2)), DTYPES[number]


def _text(fields, number):
    try:
        return bytes(message_in(fields, number)).decode()
    except UnicodeDecodeError as error:
        raise ValueError("a name is not UTF-8") from error


def _floats(tensor):
    """Values of a `TensorProto`: packed, or as raw bytes."""
    fields = fields_of(tensor)
    content = message_in(fields, 5) if 5 in fields else message_in(fields, 4)
    if len(content) % 4:
        raise ValueError("its values are truncated")
    return np.frombuffer(bytes(content), "<f4")
