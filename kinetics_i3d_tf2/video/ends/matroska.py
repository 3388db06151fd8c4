"""Endings and beginnings of Matroska and WebM files."""

import os
from typing import BinaryIO

from ..packets.tally import Tally
from .ending import Ending, by_length, read_at

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_CLUSTER, _CUES, _TAGS = b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\x12\x54\xc3\x67"
_INFO, _TRACKS, _SEEKS = b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x11\x4d\x9b\x74"
_CHAPTERS, _ATTACHED = b"\x10\x43\xa7\x70", b"\x19\x41\xa4\x69"
_VOID, _CHECKSUM = b"\xec", b"\xbf"
_HEADERS = {_CUES, _TAGS, _INFO, _TRACKS, _SEEKS, _CHAPTERS, _ATTACHED}
_HEADERS |= {_VOID, _CHECKSUM}
# What may follow the frames, and what of a block may follow its frame.
_AFTER_FRAMES = (_CLUSTER, _CUES, _TAGS, _SEEKS, _INFO, _CHAPTERS, _ATTACHED)
_MAX_AFTER_FRAME = 64  # bytes


def ending(file: BinaryIO, tally: Tally) -> Ending:
    """The ending of a file: a header and one segment, of a known size if not streamed.

    Args:
        file: the whole file.
        tally: of its packets.
    """
    size = file.seek(0, os.SEEK_END)
    is_torn = tally.hole > _MAX_AFTER_FRAME or _is_torn(file, tally.end, size)
    place, length = _segment(file)
    if length is None:
        return Ending(is_torn=is_torn)
    place += length
    voided = read_at(file, place, 16)
    if voided[:1] == _VOID:
        length, width = _ebml_size(voided, 1)
        place += width + (length or 0)
    return by_length(file, place, size)._replace(is_torn=is_torn)


def begin(file: BinaryIO) -> int | None:
    """Byte of the first cluster, or of what cannot be parsed before it.

    Args:
        file: the whole file.

    Returns:
        The place; None if the file has no segment.
    """
    place, _ = _segment(file)
    while place is not None:
        head = read_at(file, place, 16)
        name = head[: 9 - head[0].bit_length()] if head and head[0] else b""
        length, width = _ebml_size(head, len(name))
        if name not in _HEADERS or length is None:
            break
        place += width + length
    return place


def _segment(file):
    """Where the segment's content begins, and its length; None if unknown."""
    head, place, length = read_at(file, 0, 4096), 0, 0
    for name in (_EBML, _SEGMENT):
        place += length or 0
        if head[place : place + 4] != name:
            return None, None
        length, place = _ebml_size(head, place + 4)
    return place, length


def _ebml_size(data, place):
    """A size in Matroska's coding, None if unknown, and the place after it."""
    if place >= len(data) or not data[place]:
        return None, place
    count = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + count], "big") & (1 << 7 * count) - 1
    return (None if value == (1 << 7 * count) - 1 else value), place + count


def _is_torn(file, end, size):
    """Whether neither the end nor a part with a name follows the last packet."""
    if end is None or size - end <= _MAX_AFTER_FRAME:
        return False
    rest = read_at(file, end, _MAX_AFTER_FRAME)
    return not any(name in rest for name in _AFTER_FRAMES)
