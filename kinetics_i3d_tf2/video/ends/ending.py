"""How a video file ends."""

import os
from typing import BinaryIO, NamedTuple

# More than any packet, page or segment of the formats that are read from their end.
_TAIL = 1 << 18
# Fewer bytes after the end hold no frame.
_MIN_TRAILING = 32
# 8 TiB: some file systems refuse to look beyond 16.
_LARGEST_FILE = 1 << 43
# What fills up files: zeros, the 0xFF of transport streams, the line ends of text.
_PADDING = b"\0\xff\r\n"


class Ending(NamedTuple):
    """How a file ends, as far as its format tells.

    Attributes:
        is_cut: it ends before the end that its format marks or announces.
        is_partial: it ends within a packet or frame, in a format that marks no end.
        missing: frames that are missing, as counted or estimated from the file alone;
            they may be among those that the announced length lacks.
        trailing: bytes that follow the end.
        seconds: announced length where FFmpeg does not give it; 0 is unknown.
        missing_before: frames that are missing before the first one that was found.
        is_torn: what follows the last packet cannot be parsed, so that the announced
            length is taken as exact.
        frames: number that the file's index lists; 0 is unknown.
    """

    is_cut: bool = False
    is_partial: bool = False
    missing: int = 0
    trailing: int = 0
    seconds: float = 0.0
    missing_before: int = 0
    is_torn: bool = False
    frames: int = 0


def by_length(file: BinaryIO, end: int, size: int) -> Ending:
    """The ending of a file whose format announces where it ends.

    Args:
        file: the whole file.
        end: announced size in bytes.
        size: its size in bytes.
    """
    return Ending(is_cut=size < end, trailing=trailing_bytes(file, end, size))


def trailing_bytes(file: BinaryIO, end: int, size: int) -> int:
    """Bytes after the end of a video; 0 if few, or if 256 KiB of padding follow it."""
    if size - end < _MIN_TRAILING:
        return 0
    file.seek(end)
    return size - end if file.read(_TAIL).strip(_PADDING) else 0


def read_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Reads bytes at a place; fewer at the end, none at one that no file reaches."""
    if place > _LARGEST_FILE:
        return b""
    file.seek(place)
    return file.read(count)


def read_tail(file: BinaryIO, count: int = _TAIL) -> tuple[bytes, int]:
    """The last bytes of a file, and the file's size."""
    size = file.seek(0, os.SEEK_END)
    return read_at(file, max(0, size - count), count), size
