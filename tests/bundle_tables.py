"""Writes sorted tables and the index files of checkpoints, right and wrong ones."""

import struct

import google_crc32c

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def crc(content):
    value = google_crc32c.value(content)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def block(pairs):
    """Pairs as (key, value) or, to share a prefix, (shared, key, value)."""
    out = bytearray()
    for pair in pairs:
        shared, key, value = pair if len(pair) == 3 else (0, *pair)
        out += varint(shared) + varint(len(key)) + varint(len(value)) + key + value
    return bytes(out) + struct.pack("<II", 0, 1)


def stored(content, kind=0):
    """A block with its trailer."""
    content += bytes([kind])
    return content + struct.pack("<I", crc(content))


def table(*blocks, kind=0, handles=None):
    """A table of blocks of pairs; `handles` replace the places of the blocks."""
    content, found = b"", []
    for number, each in enumerate(blocks):
        found.append((len(content), len(each), number))
        content += stored(each, kind)
    index = block(
        (b"%d" % number, varint(offset) + varint(size))
        for offset, size, number in handles or found
    )
    meta_place = len(content)
    content += stored(block([]))
    index_place = len(content)
    content += stored(index)
    footer = varint(meta_place) + varint(len(block([])))
    footer += varint(index_place) + varint(len(index))
    return content + footer.ljust(40, b"\0") + MAGIC


def field(number, value):
    """A field of a protocol buffer: an integer, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def header(shards=1, **fields):
    more = {"endianness": 2}
    content = field(1, shards)
    for name, value in fields.items():
        content += field(more[name], value)
    return content + field(3, field(1, 1))


def entry(shape=(3,), dtype=1, shard=0, offset=0, size=None, more=b""):
    """A float32 tensor, by default of the right size."""
    if size is None:
        size = 4
        for each in shape:
            size *= each
    dimensions = b"".join(field(2, field(1, each)) for each in shape)
    content = field(1, dtype) + field(2, dimensions) + field(3, shard)
    content += field(4, offset) + field(5, size)
    return content + varint(6 << 3 | 5) + struct.pack("<I", 0) + more


def index(*entries, head=None):
    """An index file of (name, entry)."""
    return table(block([(b"", header() if head is None else head), *entries]))
