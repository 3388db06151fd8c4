"""LevelDB's sorted string tables, the container of TensorFlow's checkpoints.

Every length and offset is checked before it is used, so that a crafted file raises
ValueError. Source: table_format.md of LevelDB, format_description.txt of Snappy.
"""

import os
import struct
from collections.abc import Iterator

import google_crc32c

from ...utils import files, walk
from .wire_format import masked_crc, read_varint

_FOOTER = 48  # bytes
_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_TRAILER = 5  # Bytes after a block: its compression, and a checksum.
_PLAIN, _SNAPPY = 0, 1
# A Snappy copy of 64 bytes takes 3, so nothing expands more.
_SNAPPY_RATIO = 22
# Keys share prefixes, so that few bytes may stand for many.
_MAX_KEY = 4096
_MAX_KEYS = 1 << 26  # bytes of all keys
_MAX_UNPACKED = 1 << 28  # bytes of all compressed blocks


def read_content(path: str | os.PathLike, max_size: int, what: str) -> bytes:
    """Reads the file of a table, unless it is too large to be one.

    Args:
        path: the file, local or an address.
        max_size: bytes that it may have.
        what: what it is expected to be.

    Raises:
        OSError: the file does not exist.
        ValueError: it is no file, or too large.
    """
    walk.require_regular(path)
    if files.size(path) > max_size:
        raise ValueError(f"{files.redact(path)}: is too large for {what}")
    with files.open_file(path, "rb") as file:
        return file.read()


def read_table(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Reads the pairs of a table.

    Args:
        content: the file.

    Yields:
        Keys, each greater than the one before, and their values.

    Raises:
        ValueError: the table is truncated or corrupt, or a key appears twice.
    """
    if len(content) < _FOOTER or content[-len(_MAGIC) :] != _MAGIC:
        raise ValueError("there is no table in it")
    footer = memoryview(content)[-_FOOTER:]
    _, place = _handle(footer, 0)  # Of the metaindex, which TensorFlow leaves empty.
    index, _ = _handle(footer, place)
    budget = [_MAX_UNPACKED]
    last, size, end = None, 0, 0
    for _, value in _pairs(_block(content, index, budget)):
        handle, _ = _handle(value, 0)
        if handle[0] < end:  # Reading one block many times would take forever.
            raise ValueError("its blocks overlap")
        end = sum(handle)
        for key, item in _pairs(_block(content, handle, budget)):
            if last is not None and key <= last:
                raise ValueError(f"the key {key[:80]!r} is not after the one before")
            last = key
            size += len(key)
            if size > _MAX_KEYS:
                raise ValueError("its keys are too long")
            yield key, item


def _handle(content, place):
    """Offset and size of a block, and the place after them."""
    offset, place = read_varint(content, place)
    size, place = read_varint(content, place)
    return (offset, size), place


def _block(content, handle, budget):
    """A block, checked and unpacked."""
    offset, size = handle
    end = offset + size
    if end + _TRAILER > len(content) - _FOOTER:
        raise ValueError(f"a block of {size} bytes at {offset} is not within the file")
    checked = content[offset : end + 1]
    (expected,) = struct.unpack_from("<I", content, end + 1)
    if masked_crc(google_crc32c.value(checked)) != expected:
        raise ValueError(f"the checksum of the block at {offset} is wrong")
    block = memoryview(checked)[:-1]
    kind = checked[-1]
    if kind == _SNAPPY:
        block = memoryview(_unpack_snappy(block, budget))
    elif kind != _PLAIN:
        raise ValueError(f"the block at {offset} has an unknown compression, {kind}")
    return block


def _pairs(block):
    """Keys and values of a block; keys lack the prefix that they share."""
    if len(block) < 4:
        raise ValueError("a block is truncated")
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ValueError("the restarts of a block are not within it")
    key, place = b"", 0
    while place < end:
        shared, place = read_varint(block, place)
        added, place = read_varint(block, place)
        size, place = read_varint(block, place)
        if shared > len(key) or added + size > end - place:
            raise ValueError("a key or a value is not within its block")
        if shared + added > _MAX_KEY:
            raise ValueError(f"a key has {shared + added} bytes")
        key = key[:shared] + bytes(block[place : place + added])
        place += added
        yield key, block[place : place + size]
        place += size


def _unpack_snappy(packed, budget):
    size, place = read_varint(packed, 0)
    budget[0] -= size
    if size > _SNAPPY_RATIO * len(packed) or budget[0] < 0:
        raise ValueError(f"a block claims to unpack to {size} bytes")
    unpacked = bytearray()
    while place < len(packed):
        tag = packed[place]
        place += 1
        if tag & 3 == 0:  # A literal.
            length = (tag >> 2) + 1
            if length > 60:
                count = length - 60
                length = int.from_bytes(packed[place : place + count], "little") + 1
                place += count
            if length > len(packed) - place:
                raise ValueError("a compressed block is truncated")
            unpacked += packed[place : place + length]
            place += length
        else:
            place = _copy(unpacked, packed, place, tag)
        if len(unpacked) > size:
            break
    if len(unpacked) != size:
        raise ValueError(f"a block unpacks to other than {size} bytes")
    return bytes(unpacked)


def _copy(unpacked, packed, place, tag):
    """Repeats bytes before, which may overlap those that are added."""
    if tag & 3 == 1:
        length, count, high = 4 + (tag >> 2 & 7), 1, tag >> 5
    else:
        length, count, high = (tag >> 2) + 1, 2 if tag & 3 == 2 else 4, 0
    if count > len(packed) - place:
        raise ValueError("a compressed block is truncated")
    offset = int.from_bytes(packed[place : place + count], "little")
    offset |= high << 8 * count
    if not 0 < offset <= len(unpacked):
        raise ValueError("a compressed block refers to bytes before its first")
    repeated = unpacked[-offset:][:length]
    unpacked += (repeated * (length // len(repeated) + 1))[:length]
    return place + count
