"""The index of an AVI file."""

from typing import BinaryIO

from .ending import read_tail

_ENTRY = 16  # bytes: a chunk's name, flags, place and size
_MAX_INDEX = 1 << 24  # bytes, of a million chunks
_MAX_REST = 1 << 12  # bytes that may follow it
_FRAMES = (b"dc", b"db")


def frames(file: BinaryIO, film: int) -> int:
    """Counts the frames that the index lists.

    Args:
        file: the whole file.
        film: number of its film among the streams.

    Returns:
        Frames, without those that are empty; 0 if there is no index at the end. A file
        of several parts (OpenDML) has one for the first part.
    """
    tail, _ = read_tail(file, _MAX_INDEX)
    begin = tail.rfind(b"idx1")
    length = int.from_bytes(tail[begin + 4 : begin + 8], "little")
    rest = len(tail) - (begin + 8 + length)
    if begin < 0 or length % _ENTRY or not 0 <= rest <= _MAX_REST:
        return 0
    names = [b"%02d" % film + kind for kind in _FRAMES]
    places = set()
    for place in range(begin + 8, begin + 8 + length, _ENTRY):
        entry = tail[place : place + _ENTRY]
        if entry[:4] in names and any(entry[12:]):
            places.add(entry[8:12])
    return len(places)
