"""Streams that cannot seek, read as if they could."""

import functools
import io
import os
import sys
import tempfile
from typing import BinaryIO

_IN_MEMORY = 1 << 26  # bytes; more go to a temporary file
_CHUNK = 1 << 16


class RewindableStream:
    """A pipe as a file: what was read of it is kept.

    FFmpeg needs this for the many mp4 files whose index is at their end. Bytes are
    taken as they are asked for, so a stream without an end can be read, too.

    Args:
        stream: binary file object that cannot seek.
    """

    def __init__(self, stream: BinaryIO):
        self._read = getattr(stream, "read1", stream.read)  # Whatever has come.
        self._kept = tempfile.SpooledTemporaryFile(_IN_MEMORY)
        self._size = self._place = 0

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._place

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        self._fetch(self._place + size)
        self._kept.seek(self._place)
        content = self._kept.read(size)
        self._place += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place; -1, as of FFmpeg's own pipes, for places from the end."""
        if whence == os.SEEK_END:
            return -1
        self._place = offset + (self._place if whence == os.SEEK_CUR else 0)
        return self._place

    def whole(self) -> io.IOBase:
        """All of the stream as a file object that can seek, once it has ended."""
        self._fetch(None)
        return self._kept

    def close(self) -> None:
        """Frees what was kept; the stream itself stays open."""
        self._kept.close()

    def __del__(self):
        self.close()

    def _fetch(self, end):
        while end is None or self._size < end:
            content = self._read(_CHUNK)
            if not content:
                return
            self._kept.seek(self._size)
            self._kept.write(content)
            self._size += len(content)


def standard_input() -> RewindableStream:
    """Standard input, from its first byte on, each time it is opened."""
    stream = _of_stream(sys.stdin.buffer)
    stream.seek(0)
    return stream


@functools.lru_cache(1)
def _of_stream(stream):
    return RewindableStream(stream)
