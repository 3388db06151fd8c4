"""Files at addresses (s3://, http://, gs://), through `tf.io.gfile`.

Nothing else in this package touches a remote file system; `files` is what others call.
TensorFlow, and tensorflow-io for the schemes that it adds, are imported when the first
address is used.
"""

import contextlib
import ctypes
import functools
import io
import os
import re
import sys
from collections.abc import Iterator

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def is_address(path: str | os.PathLike) -> bool:
    """Whether a path is an address (`s3://bucket/clip.mp4`) and not a local file."""
    return bool(_ADDRESS.match(os.fspath(path)))


def open_file(path: str | os.PathLike, mode: str) -> io.IOBase:
    """Opens a remote file: "rb", "w", "wb", or "a" and "ab" where that is possible.

    Raises:
        OSError: the file does not exist, or may not be opened.
        ValueError: its scheme needs the extra `io`, or is unknown.
    """
    if mode == "rb":
        return io.BufferedReader(_Reader(path), 1 << 18)
    with _os_errors(path):
        return _gfile(path).GFile(os.fspath(path), mode)


def exists(path: str | os.PathLike) -> bool:
    """Whether a remote file or folder exists."""
    with _os_errors(path):
        return _gfile(path).exists(os.fspath(path))


def is_dir(path: str | os.PathLike) -> bool:
    """Whether a remote folder exists."""
    with _os_errors(path):
        return _gfile(path).isdir(_as_folder(path))


def size(path: str | os.PathLike) -> int:
    """Size of a remote file in bytes."""
    with _os_errors(path):
        return _gfile(path).stat(os.fspath(path)).length


def walk(folder: str | os.PathLike) -> list[tuple[str, list[str]]]:
    """Folders in a remote folder, itself included, with the names of their files."""
    with _os_errors(folder):
        found = _gfile(folder).walk(_as_folder(folder))
        return [(parent, names) for parent, _, names in found]


def list_dir(folder: str | os.PathLike) -> list[str]:
    """Names in a remote folder; none if it does not exist."""
    with _os_errors(folder):
        files, folder = _gfile(folder), _as_folder(folder)
        return files.listdir(folder) if files.isdir(folder) else []


def remove(path: str | os.PathLike) -> None:
    """Deletes a remote file."""
    with _os_errors(path):
        _gfile(path).remove(os.fspath(path))


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a remote folder where file systems have them."""
    with _os_errors(folder):
        _gfile(folder).makedirs(os.fspath(folder))


def upload(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Copies a local file to an address, where it appears when it is whole."""
    with _os_errors(path):
        # Object stores show a file when the last of it has arrived.
        _gfile(path).copy(os.fspath(source), os.fspath(path), overwrite=True)


class _Reader(io.RawIOBase):
    """A remote file as a file object, read-only; its errors are OSErrors."""

    def __init__(self, path):
        self._path = os.fspath(path)
        with _os_errors(path):
            files = _gfile(path)
            self._size = files.stat(self._path).length
            self._file = files.GFile(self._path, "rb")
        self._place = 0

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
        with _os_errors(self._path):
            self._file.seek(self._place)
            content = self._file.read(min(len(buffer), self._size - self._place))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self):
        if not self.closed:
            self._file.close()
        super().close()


def _gfile(path):
    """`tf.io.gfile`, once it knows the scheme of an address."""
    import tensorflow as tf

    scheme = _ADDRESS.match(os.fspath(path))[1].lower()
    if scheme not in tf.io.gfile.get_registered_schemes():
        try:
            import tensorflow_io  # noqa: F401 (it registers file systems)
        except Exception as error:  # With another TensorFlow it fails in many ways.
            raise ValueError(
                f"{path}: {scheme}:// needs tensorflow-io, which works with TensorFlow "
                "2.16 only: in an environment of its own, pip install "
                "'kinetics-i3d-tf2[io]'"
            ) from error
    if scheme not in tf.io.gfile.get_registered_schemes():
        raise ValueError(f"{path}: there is no file system for {scheme}://")
    if "tensorflow_io" in sys.modules:
        _leave_before_destructors()
    return tf.io.gfile


@functools.cache
def _leave_before_destructors():
    """Ends the process, when it ends, before tensorflow-io's destructors run.

    0.37.1 aborts in them once S3 was used (its issue 2039), which turns every exit
    status into 134. Where the C library has no `on_exit`, it still does.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "on_exit"):
        library.on_exit(library._exit, None)


def _as_folder(path):
    """A folder's address as S3 wants it: without the slash a bucket is no folder."""
    return os.fspath(path).rstrip("/") + "/"


@contextlib.contextmanager
def _os_errors(path) -> Iterator[None]:
    """Turns TensorFlow's errors into the OSErrors of local files, in its block."""
    try:
        yield
    except Exception as error:
        # A TensorFlow error, without importing TensorFlow for local files.
        message = getattr(error, "message", None)
        if message is None:
            raise
        if type(error).__name__ == "NotFoundError":
            raise FileNotFoundError(f"{path}: there is no such file") from error
        raise OSError(f"{path}: {message}") from error
