"""Damages what lies inside of checksums and makes these right again.

Without it, the checksum refuses nearly all damage and the parser behind it is never
tried. What such a file says is what it says: there is no right value to compare with.
"""

import io
import random
import struct
import zipfile

import google_crc32c

from .mutations import mutate

_RECORD = struct.Struct("<QI")


def zip_entry(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damages one entry of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {entry: archive.read(entry) for entry in archive.infolist()}
    # As often the small ones, which hold the structure.
    chosen = min(rng.sample(list(entries), min(2, len(entries))), key=_size)
    entries[chosen], name = mutate(entries[chosen], rng)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for entry, value in entries.items():
            archive.writestr(entry.filename, value, entry.compress_type)
    return stream.getvalue(), name


def record(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damages one record of a TFRecord file."""
    values, offset = [], 0
    while offset < len(content):
        length, _ = _RECORD.unpack_from(content, offset)
        values.append(content[offset + 12 : offset + 12 + length])
        offset += 12 + length + 4
    chosen = rng.randrange(len(values))
    values[chosen], name = mutate(values[chosen], rng)
    return b"".join(map(_record_of, values)), name


def bundle_index(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damages one block of a checkpoint's index, a table as LevelDB's.

    A block is followed by its compression and a checksum of both; the file's last 48
    bytes are the places of the two blocks that list the others, and a magic number.
    """
    content = bytearray(content)
    blocks = _blocks(content)
    offset, size = rng.choice(blocks)
    block, name = mutate(bytes(content[offset : offset + size]), rng)
    content[offset : offset + size] = block[:size].ljust(size, b"\0")
    for offset, size in blocks:
        end = offset + size + 1
        content[end : end + 4] = _checksum(content[offset:end])
    return bytes(content), name


def _blocks(content):
    numbers, place = [], len(content) - 48
    for _ in range(4):
        number, place = _varint(content, place)
        numbers.append(number)
    metaindex, index = tuple(numbers[:2]), tuple(numbers[2:])
    # The data blocks fill the file up to the first of these, end to end.
    first = _varint_pair_of_entry(content, index[0])
    return [first, metaindex, index]


def _varint_pair_of_entry(content, place):
    """The value of a block's first entry: offset and size of a data block."""
    _, place = _varint(content, place)  # shared bytes of the key
    unshared, place = _varint(content, place)
    _, place = _varint(content, place)  # length of the value
    offset, place = _varint(content, place + unshared)
    return offset, _varint(content, place)[0]


def _varint(content, place):
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place


def _record_of(value):
    length = struct.pack("<Q", len(value))
    return length + _checksum(length) + value + _checksum(value)


def _checksum(content):
    """CRC32C, masked as TensorFlow does."""
    crc = google_crc32c.value(bytes(content))
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _size(entry):
    return entry.file_size
