"""Proves which released checkpoint a set of weights is, by git's hash of its file.

The data file of a checkpoint contains its tensors back to back, in order of name. Equal
weights from any source therefore give the released file, whose git blob id is known
from the release's repository. If they differ, the checksums in the released index files
show which tensors do.
"""

import csv
import functools
import hashlib
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np

from ..file_formats.tensor_bundle import BundleReader
from ..released import RELEASED

_TABLE = "released_crc32c.csv"  # CRC32C of each tensor, from the index files
_SLOT = "/Momentum"
_SHOWN = 8


class Difference(NamedTuple):
    """A tensor that differs from the released one."""

    name: str
    largest: float | None  # largest difference, if the released file is available


class Proof(NamedTuple):
    """Comparison of weights with the closest released checkpoint."""

    released: str  # name of the closest checkpoint
    num_equal: int  # bit-equal tensors
    num_tensors: int
    differences: tuple[Difference, ...]
    blob_id: str  # git's, of the data file with these weights

    @property
    def is_equal(self) -> bool:
        """Whether all weights are bit-equal to the released ones."""
        return not self.differences

    @property
    def is_data_file(self) -> bool:
        """Whether their data file is the released one, byte for byte."""
        return self.blob_id == RELEASED[self.released][1].blob_id

    def describe(self, name: str) -> str:
        """Describes the result in one line.

        Args:
            name: name of the weights, for example their file.
        """
        if self.is_data_file:
            return (
                f"{name} is {self.released} of the release, to the bit "
                f"(blob {self.blob_id})"
            )
        if self.is_equal:
            return (
                f"{name} has the {self.num_tensors} weights of {self.released} of the "
                "release, to the bit; the released file also has optimizer slots"
            )
        if not self.num_equal:
            return f"{name} has no tensor in common with a released checkpoint"
        shown = ", ".join(map(_describe, self.differences[:_SHOWN]))
        more = len(self.differences) - _SHOWN
        return (
            f"{name} is closest to {self.released} of the release: {self.num_equal} of "
            f"{self.num_tensors} tensors are equal to the bit; these differ: {shown}"
            + (f" and {more} more" if more > 0 else "")
        )


def compare_with_release(
    values: Mapping[str, np.ndarray], *, root: str | os.PathLike = "."
) -> Proof:
    """Compares weights with the five released checkpoints.

    Args:
        values: float32 weights by Sonnet name without scope.
        root: folder that contains `checkpoints/`. If the closest checkpoint is in it,
            the largest differences are computed.

    Returns:
        The comparison with the checkpoint that has the most equal tensors.
    """
    values = dict(sorted(values.items()))
    found = {name: _crc32c(array) for name, array in values.items()}
    table = _released_crc32c()
    equal = {
        released: sum(known.get(name) == crc for name, crc in found.items())
        for released, known in table.items()
    }
    closest = max(equal, key=equal.get)
    known = table[closest]
    wanted = [name for name in known if not name.endswith(_SLOT)]
    different = [
        n for n in {**found, **dict.fromkeys(wanted)} if found.get(n) != known.get(n)
    ]
    return Proof(
        closest,
        equal[closest],
        len(values),
        tuple(_differences(different, values, closest, root)),
        data_blob_id(values),
    )


def data_blob_id(values: Mapping[str, np.ndarray]) -> str:
    """Computes the git blob id of the data file of a checkpoint with these weights.

    Args:
        values: weights by name.

    Returns:
        40 hex digits.
    """
    size = sum(array.nbytes for array in values.values())
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for name in sorted(values):
        digest.update(np.ascontiguousarray(values[name], "<f4").data)
    return digest.hexdigest()


@functools.cache
def _released_crc32c():
    """Checksums by tensor for each released checkpoint."""
    table = {}
    path = resources.files(__package__).joinpath(_TABLE)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row.pop("name")
            for released, crc in row.items():
                if crc:
                    table.setdefault(released, {})[name] = int(crc, 16)
    return table


def _crc32c(array):
    return google_crc32c.value(np.ascontiguousarray(array, "<f4").tobytes())


def _differences(names, values, released, root):
    """Largest difference per tensor, if the released file is available."""
    prefix = Path(root, "checkpoints", released, "model.ckpt")
    reader, full_names = None, {}
    if prefix.with_suffix(".ckpt.index").exists() and names:
        reader = BundleReader(prefix)
        full_names = {
            name.rpartition("inception_i3d/")[2]: name for name, *_ in reader.entries()
        }
    for name in names:
        largest = None
        if reader and name in full_names and name in values:
            expected = reader.read(full_names[name])
            if expected.size == values[name].size:
                gap = expected.ravel() - values[name].ravel()
                largest = float(np.max(np.abs(gap)))
        yield Difference(name, largest)


def _describe(difference):
    if difference.largest is None:
        return difference.name
    return f"{difference.name} (by up to {difference.largest:.3g})"
