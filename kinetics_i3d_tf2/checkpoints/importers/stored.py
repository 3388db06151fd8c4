"""Tensors in a file, with shape and dtype known before the values are read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from .pickle_machine import Rebuilt

# Checkpoints are not nested deeper than this.
_MAX_DEPTH = 16
_SEPARATOR = "/"


class Stored(NamedTuple):
    """A tensor in a file."""

    shape: tuple[int, ...]
    dtype: str  # NumPy's name, or "bfloat16"
    read: Callable[[], np.ndarray]  # of that shape; bfloat16 arrives as float32

    @classmethod
    def of_array(cls, array: np.ndarray) -> "Stored":
        """Wraps an array in memory."""
        return cls(array.shape, array.dtype.name, lambda: array)


def flatten(tree: Mapping) -> dict[str, Stored]:
    """Lists the tensors in nested dicts and lists by path, `state_dict/conv.weight`.

    Args:
        tree: dicts and lists of tensors and NumPy arrays; other values are ignored. A
            container that occurs twice is visited once.

    Returns:
        Tensors by path, in the order of the tree.

    Raises:
        ValueError: it is nested too deeply.
    """
    found, seen = {}, set()
    pending = [("", tree, 0)]
    while pending:
        path, value, depth = pending.pop()
        if isinstance(value, np.ndarray):
            value = Stored.of_array(value)
        elif isinstance(value, Rebuilt):
            value = value.stored()
        if isinstance(value, Stored):
            found[path] = value
        elif isinstance(value, Mapping | list | tuple) and id(value) not in seen:
            if depth > _MAX_DEPTH:
                raise ValueError("is nested too deeply to be a checkpoint")
            seen.add(id(value))
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            pending += reversed(
                [(_join(path, key), child, depth + 1) for key, child in items]
            )
    return found


def _join(path, key):
    return f"{path}{_SEPARATOR}{key}" if path else str(key)
