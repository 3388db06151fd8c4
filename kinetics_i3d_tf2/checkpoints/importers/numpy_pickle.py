"""NumPy arrays in pickles, rebuilt from validated parts.

NumPy's own `__setstate__` trusts its argument. Here a dtype must be in a short list,
and an array is a read-only view of exactly the bytes that its shape needs.
"""

import math
from typing import BinaryIO

import numpy as np

from .pickle_machine import Rebuilt, set_item
from .stored import Stored, flatten
from .unpickler import read_pickle

# dtypes of weights, counters and flags.
_DTYPES = frozenset("f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split())


def read_numpy_pickle(file: BinaryIO) -> dict[str, Stored]:
    """Reads a pickle of nested dicts and lists of NumPy arrays.

    Args:
        file: binary file, at the start of the pickle.

    Returns:
        Arrays by path, `params/Conv3d_1a_7x7/Conv_0/kernel`.

    Raises:
        CodeInPickleError: the pickle contains something other than arrays.
        ValueError: it is truncated or corrupt.
    """
    return flatten(read_pickle(file, BUILDERS))


def array_of(data: bytes | str, dtype: np.dtype, shape, order: str) -> np.ndarray:
    """Views bytes as an array.

    Args:
        data: raw values; Python 2 pickled them as text, one character per byte.
        dtype: dtype of the values.
        shape: sizes of the axes.
        order: memory order, "C" or "F".

    Returns:
        A read-only view of `data`.

    Raises:
        ValueError: the shape is invalid, or does not match the number of bytes.
    """
    if isinstance(data, str):
        data = data.encode("latin-1")
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"the data of an array is a {type(data).__name__}")
    shape = check_sizes("shape", shape)
    needed = math.prod(shape) * dtype.itemsize
    if needed != len(data):
        raise ValueError(f"an array needs {needed} bytes, and has {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def check_sizes(what: str, sizes: object) -> tuple[int, ...]:
    """Validates a shape, strides or offsets from a file.

    Args:
        what: noun for the error.
        sizes: the value in the file.

    Returns:
        The sizes.

    Raises:
        ValueError: not up to 32 integers, 0 or greater.
    """
    if (
        not isinstance(sizes, tuple | list)
        or len(sizes) > 32
        or not all(type(size) is int and 0 <= size < 2**62 for size in sizes)
    ):
        raise ValueError(f"invalid {what}: {sizes!r:.80}")
    return tuple(sizes)


class _DType(Rebuilt):
    """A dtype: first its name, then the byte order."""

    def __init__(self, name, *flags):
        if not isinstance(name, str) or name not in _DTYPES:
            raise ValueError(f"weights have no dtype {name!r:.40}")
        self.dtype = np.dtype(name)

    def set_state(self, state):
        order = state[1]
        if order not in ("<", ">", "|", "=") or any(part for part in state[2:5]):
            raise ValueError(f"invalid dtype: {state!r:.80}")
        self.dtype = self.dtype.newbyteorder(order)

    def stored(self):
        return None


class _Array(Rebuilt):
    """An array before and after its state is set."""

    array = None

    def __init__(self, *placeholder):
        pass

    def set_state(self, state):
        _, shape, dtype, is_fortran, data = state
        order = "F" if is_fortran else "C"
        self.array = array_of(data, _dtype(dtype), shape, order)

    def stored(self):
        if self.array is None:
            raise ValueError("an array has no data")
        return Stored.of_array(self.array)


def _dtype(value):
    if not isinstance(value, _DType):
        raise ValueError(f"invalid dtype: {value!r:.80}")
    return value.dtype


def _from_buffer(data, dtype, shape, order):
    array = _Array()
    array.set_state((1, shape, dtype, order == "F", data))
    return array


def _scalar(dtype, data):
    return array_of(data, _dtype(dtype), (), "C").item()


def _encode(text, encoding):
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes in the encoding {encoding!r:.40}")
    return text.encode("latin-1")


def _mapping(*arguments):
    """An OrderedDict, defaultdict or Counter as a plain dict."""
    found = {}
    for items in arguments:
        if isinstance(items, list | dict):
            pairs = items.items() if isinstance(items, dict) else items
            for key, value in pairs:
                set_item(found, key, value)
    return found


# Names allowed in a pickle. NumPy 2 renamed `numpy.core`; Python 2 has `__builtin__`.
BUILDERS = {
    "numpy.dtype": _DType,
    "numpy.ndarray": None,
    "_codecs.encode": _encode,
    "builtins.dict": None,
    "__builtin__.dict": None,
    "__builtin__.bytes": lambda: b"",  # empty bytes in protocol 2
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _mapping,
    "collections.Counter": _mapping,
}
for _core in ("numpy.core", "numpy._core"):
    BUILDERS[f"{_core}.multiarray._reconstruct"] = _Array
    BUILDERS[f"{_core}.multiarray.scalar"] = _scalar
    BUILDERS[f"{_core}.numeric._frombuffer"] = _from_buffer
