"""A remote file as a file object that reads ranges, ahead of what is read in order."""

import collections
import io
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from absl import logging

from . import storage
from .addresses import redact

_BLOCK = 1 << 20  # bytes of a request
_MEMORY = 64 << 20  # bytes of all blocks that are kept
_THREADS = 16


class _Blocks:
    """Blocks of files, the most recently used of all readers of this process.

    A video is opened for its length and again for its frames: its header is read once.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._blocks = collections.OrderedDict()
        self._ahead = ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead")

    def get(self, key: tuple, fetch: Callable[[], bytes]) -> bytes:
        """A block, fetched now unless it was before."""
        block, is_new = self._claim(key)
        if is_new:
            self._fill(key, block, fetch)
        return block.result()

    def fetch_ahead(self, key: tuple, fetch: Callable[[], bytes]) -> None:
        """Fetches a block in another thread."""
        block, is_new = self._claim(key)
        if is_new:
            self._ahead.submit(self._fill, key, block, fetch)

    def _claim(self, key):
        with self._lock:
            is_new = key not in self._blocks
            block = self._blocks.setdefault(key, Future())
            self._blocks.move_to_end(key)
            while len(self._blocks) > _MEMORY // _BLOCK:
                self._blocks.popitem(last=False)
        return block, is_new

    def _fill(self, key, block, fetch):
        try:
            block.set_result(fetch())
        except BaseException as error:  # Ctrl-C too: others wait for this block.
            with self._lock:
                self._blocks.pop(key, None)
            block.set_exception(error)


_blocks = _Blocks()


def _after_fork():
    """The threads that read ahead, and what they were reading, stay in the parent."""
    global _blocks
    _blocks = _Blocks()


os.register_at_fork(after_in_child=_after_fork)


class RangeReader(io.RawIOBase):
    """A remote file, read-only, in ranges.

    Args:
        address: the file.
        facts: of `storage.facts`.
    """

    def __init__(self, address: str, facts: storage.Facts):
        self._address = address
        self._size = facts.size
        # Without a version, blocks are of this reader alone.
        self._version = facts.version or object()
        self._place = 0
        self._last_block = None

    @property
    def name(self) -> str:
        """The address without credentials."""
        return redact(self._address)

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._place

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}
        self._place = max(0, base[whence] + offset)
        return self._place

    def readinto(self, buffer):
        if self._place >= self._size:
            return 0
        number, offset = divmod(self._place, _BLOCK)
        content = self._read_block(number)[offset : offset + len(buffer)]
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def _read_block(self, number):
        if number - 1 == self._last_block and (number + 1) * _BLOCK < self._size:
            _blocks.fetch_ahead(self._key(number + 1), self._fetcher(number + 1))
        self._last_block = number
        return _blocks.get(self._key(number), self._fetcher(number))

    def _key(self, number):
        return self._address, self._version, number

    def _fetcher(self, number):
        start = number * _BLOCK
        end = min(start + _BLOCK, self._size)
        return lambda: storage.read_range(self._address, start, end, exact=True)


def open_file(address: str | os.PathLike) -> io.BufferedIOBase:
    """Opens a remote file for reading.

    Where a server does not serve ranges, the file is copied to the temporary folder
    first, and deleted when the file object is closed.

    Args:
        address: the file.

    Returns:
        Binary file object, which can seek.

    Raises:
        OSError: it does not exist, is a folder, or may not be read.
        ValueError: a package is missing, or the scheme is unknown.
    """
    address = os.fspath(address)
    facts = storage.facts(address)
    if facts.is_dir:
        raise IsADirectoryError(f"{redact(address)}: is a folder, not a file")
    if facts.has_ranges:
        return io.BufferedReader(RangeReader(address, facts), 1 << 16)
    logging.info(
        "%s: is copied whole: its server does not serve ranges", redact(address)
    )
    copy = tempfile.NamedTemporaryFile(prefix="i3d-")  # noqa: SIM115 (it is returned)
    try:
        storage.download(address, copy.name)
        return copy
    except BaseException:
        copy.close()
        raise
