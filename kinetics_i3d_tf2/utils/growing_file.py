"""Files that grow line by line, on this machine or at an address."""

import os
import time

from . import files

UPLOAD_SECONDS = 60.0


def open_file(path: str | os.PathLike) -> "_Appended | _Uploaded":
    """Opens a file to append to it; it is created if it does not exist.

    Args:
        path: the file, local or an address.

    Raises:
        OSError: it cannot be read or written.
    """
    return _Uploaded(path) if files.is_address(path) else _Appended(path)


def read(path: str | os.PathLike) -> bytes:
    """The content of a file; nothing if it does not exist."""
    if not files.exists(path):
        return b""
    with files.open_file(path, "rb") as file:
        return file.read()


class _Appended:
    """A file on this machine."""

    def __init__(self, path):
        self._path = path
        self._file = open(path, "ab")

    def append(self, line: bytes):
        """Adds a line, which is in the file when this returns."""
        self._file.write(line)
        self._file.flush()

    def replace(self, content: bytes):
        """Replaces the content at once."""
        self._file.close()
        with files.atomic_writer(self._path) as path:
            path.write_bytes(content)
        self._file = open(self._path, "ab")

    def close(self):
        """Closes the file."""
        self._file.close()


class _Uploaded:
    """A file at an address: uploaded whole, once a minute and when it is closed."""

    def __init__(self, address):
        self._address = address
        self._content = bytearray(read(address))
        self._is_new = False
        self._time = time.monotonic()

    def append(self, line: bytes):
        """Adds a line."""
        self._content += line
        self._is_new = True
        if time.monotonic() > self._time + UPLOAD_SECONDS:
            self.close()

    def replace(self, content: bytes):
        """Replaces the content at once."""
        self._content = bytearray(content)
        self._is_new = True
        self.close()

    def close(self):
        """Uploads what is new."""
        if self._is_new:
            with files.atomic_writer(self._address) as path:
                path.write_bytes(self._content)
            self._is_new = False
            self._time = time.monotonic()
