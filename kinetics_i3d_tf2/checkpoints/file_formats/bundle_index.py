"""The index of a checkpoint: names, types, shapes, places and checksums of tensors.

Source: tensor_bundle.proto and tensor_shape.proto of TensorFlow.
"""

import math
from typing import NamedTuple

from .sorted_table import read_table
from .tensor_data import DTYPES, ITEM_SIZES, TensorPlace
from .wire_format import fields_of, message_in, number_in

_MAX_RANK = 254  # TensorFlow's own.
_MAX_SHARDS = 100_000  # Their numbers have five digits.
_VERSION = 1


class BundleIndex(NamedTuple):
    """Content of an index file."""

    num_shards: int
    entries: dict[str, TensorPlace]  # by name, in order

    def shard_sizes(self) -> dict[int, int]:
        """Smallest size in bytes of the data files that hold tensors, by number."""
        sizes = {}
        for entry in self.entries.values():
            end = entry.offset + entry.size
            sizes[entry.shard] = max(end, sizes.get(entry.shard, 0))
        return sizes


def parse_index(content: bytes) -> BundleIndex:
    """Parses an index file and checks all of it.

    Args:
        content: the file.

    Returns:
        Its content. Sizes agree with shapes and dtypes, and no two tensors overlap.

    Raises:
        ValueError: the file is truncated, corrupt or crafted, or of a kind that this
            package does not read: big-endian, or with partitioned variables.
    """
    pairs = read_table(content)
    key, value = next(pairs, (None, b""))
    if key != b"":
        raise ValueError("it has no header")
    num_shards = _parse_header(value)
    entries = {}
    for key, value in pairs:
        try:
            name = key.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"the name {key[:80]!r} is not UTF-8") from error
        try:
            entries[name] = _parse_entry(value, num_shards)
        except ValueError as error:
            raise ValueError(f"{name[:200]!r}: {error}") from error
    _check_overlaps(entries)
    return BundleIndex(num_shards, entries)


def _parse_header(message):
    fields = fields_of(message)
    num_shards = number_in(fields, 1)
    if not 1 <= num_shards <= _MAX_SHARDS:
        raise ValueError(f"it claims to have {num_shards} data files")
    if number_in(fields, 2):
        raise ValueError("it is big-endian, which this package does not read")
    needed = number_in(fields_of(message_in(fields, 3)), 2)
    if needed > _VERSION:
        raise ValueError(f"it has a newer format, of version {needed}")
    return num_shards


def _parse_entry(message, num_shards):
    fields = fields_of(message)
    if fields.get(7):
        raise ValueError("it is partitioned, which this package does not read")
    number = number_in(fields, 1)
    if number not in DTYPES:
        raise ValueError(f"there is no type {number}")
    entry = TensorPlace(
        parse_shape(message_in(fields, 2)),
        DTYPES[number],
        number_in(fields, 3),
        number_in(fields, 4),
        number_in(fields, 5),
        number_in(fields, 6),
    )
    if not 0 <= entry.shard < num_shards:
        raise ValueError(f"it is in data file {entry.shard} of {num_shards}")
    if entry.offset < 0 or entry.size < 0:
        raise ValueError(f"it has {entry.size} bytes at byte {entry.offset}")
    count = math.prod(entry.shape)
    item = ITEM_SIZES.get(entry.dtype)
    # Each text has at least the byte of its length.
    is_right = count <= entry.size if item is None else count * item == entry.size
    if not is_right:
        raise ValueError(
            f"it has {entry.size} bytes, and the shape {entry.shape} of {entry.dtype}"
        )
    return entry


def parse_shape(message: memoryview) -> tuple[int, ...]:
    """Parses a `TensorShapeProto`.

    Raises:
        ValueError: it is malformed, of unknown rank, or has a negative dimension.
    """
    fields = fields_of(message)
    dimensions = fields.get(2, [])
    if len(dimensions) > _MAX_RANK or number_in(fields, 3):
        raise ValueError(f"it has {len(dimensions)} dimensions, or an unknown number")
    if not all(isinstance(each, memoryview) for each in dimensions):
        raise ValueError("a dimension is no message")
    shape = tuple(number_in(fields_of(each), 1) for each in dimensions)
    if any(size < 0 for size in shape):
        raise ValueError(f"it has a negative dimension: {shape}")
    return shape


def _check_overlaps(entries):
    """Two names for the same bytes are no checkpoint that TensorFlow writes."""
    placed = sorted((e.shard, e.offset, e.size, name) for name, e in entries.items())
    last = (-1, 0, "")
    for shard, offset, size, name in placed:
        if not size:
            continue
        if shard == last[0] and offset < last[1]:
            raise ValueError(f"{name[:200]!r} and {last[2][:200]!r} overlap")
        last = (shard, offset + size, name)
