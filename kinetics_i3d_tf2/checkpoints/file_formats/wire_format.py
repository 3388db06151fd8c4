"""Numbers, checksums and protocol buffers as TensorFlow's checkpoints hold them.

TensorFlow's own classes take seconds to import, and these must not need it.
"""

import struct

# Encodings of the fields of protocol buffers.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_varint(content: memoryview, place: int) -> tuple[int, int]:
    """Reads a number of at most 64 bits in LEB128.

    Args:
        content: where it is.
        place: its first byte.

    Returns:
        The number, and the place of the byte after it.

    Raises:
        ValueError: it is not whole, or too large.
    """
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("it ends within a number")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, place
    raise ValueError("a number has more than 64 bits")


def masked_crc(crc: int) -> int:
    """A CRC32C as TensorFlow and LevelDB store it."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields_of(message: memoryview) -> dict[int, list]:
    """Decodes a protocol buffer.

    Args:
        message: its bytes.

    Returns:
        Values by field number: integers, or the bytes of messages and texts.

    Raises:
        ValueError: it is malformed.
    """
    fields, place = {}, 0
    while place < len(message):
        tag, place = read_varint(message, place)
        number, encoding = tag >> 3, tag & 7
        if encoding == _VARINT:
            value, place = read_varint(message, place)
            value -= (value >> 63) << 64  # Negative numbers are two's complements.
        else:
            value, place = _read_sized(message, place, encoding)
        fields.setdefault(number, []).append(value)
    return fields


def _read_sized(message, place, encoding):
    size = {_FIXED64: 8, _FIXED32: 4}.get(encoding)
    if encoding == _BYTES:
        size, place = read_varint(message, place)
    if size is None or size > len(message) - place:
        raise ValueError("a value is malformed")
    value = message[place : place + size]
    if encoding == _FIXED32:
        (value,) = struct.unpack("<I", value)
    return value, place + size


def number_in(fields: dict[int, list], number: int) -> int:
    """A field that is an integer, 0 if it is absent; the last counts.

    Raises:
        ValueError: it is another kind.
    """
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise ValueError(f"field {number} is no number")
    return value


def message_in(fields: dict[int, list], number: int) -> memoryview:
    """A field that is a message, empty if it is absent; the last counts.

    Raises:
        ValueError: it is another kind.
    """
    value = fields.get(number, [memoryview(b"")])[-1]
    if not isinstance(value, memoryview):
        raise ValueError(f"field {number} is no message")
    return value
