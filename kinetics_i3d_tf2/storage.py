"""One way to files on this machine and behind addresses (s3://, http://, gs://).

Addresses go through `tf.io.gfile`; TensorFlow, and tensorflow-io for the schemes that
it adds, are imported when the first address is met.
"""

import contextlib
import ctypes
import fnmatch
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def is_address(path: str | os.PathLike) -> bool:
    """Whether a path is an address (`s3://bucket/clip.mp4`) and not a local file."""
    return bool(_ADDRESS.match(os.fspath(path)))


def join(folder: str | os.PathLike, *names: str) -> str:
    """Joins a folder, local or an address, and names below it."""
    folder = os.fspath(folder)
    if is_address(folder):
        return "/".join([folder.rstrip("/"), *(name.strip("/") for name in names)])
    return os.path.join(folder, *names)


def open_file(path: str | os.PathLike, mode: str = "r") -> io.IOBase:
    """Opens a file; text is UTF-8, with or without a byte order mark.

    Args:
        path: local path or address.
        mode: "r", "rb", "w", "wb"; "a" and "ab" for local files and where the remote
            file system appends.

    Returns:
        File object; a context manager.

    Raises:
        OSError: there is no such file, or it may not be opened.
        ValueError: the address needs the extra `io`.
    """
    if not is_address(path):
        if "b" in mode:
            return open(path, mode)
        encoding = "utf-8-sig" if mode == "r" else "utf-8"
        return open(path, mode, encoding=encoding, newline="")
    if mode == "rb":
        return io.BufferedReader(_RemoteReader(path), 1 << 18)
    if mode == "r":
        return io.TextIOWrapper(open_file(path, "rb"), "utf-8-sig", newline="")
    with _os_errors(path):
        return _gfile(path).GFile(os.fspath(path), mode)


def exists(path: str | os.PathLike) -> bool:
    """Whether there is such a file or folder."""
    if not is_address(path):
        return os.path.exists(path)
    with _os_errors(path):
        return _gfile(path).exists(os.fspath(path))


def is_dir(path: str | os.PathLike) -> bool:
    """Whether there is such a folder."""
    if not is_address(path):
        return os.path.isdir(path)
    with _os_errors(path):
        return _gfile(path).isdir(_as_folder(path))


def size(path: str | os.PathLike) -> int:
    """Bytes of a file.

    Raises:
        OSError: there is no such file.
    """
    if not is_address(path):
        return os.path.getsize(path)
    with _os_errors(path):
        return _gfile(path).stat(os.fspath(path)).length


def files_below(folder: str | os.PathLike) -> list[str]:
    """Every file in a folder and the folders in it, in order of name.

    Symbolic links to folders are followed; hidden files and folders are left out.

    Raises:
        OSError: there is no such folder, or it may not be listed.
    """
    folder = os.fspath(folder)
    if is_address(folder):
        with _os_errors(folder):
            walk = list(_gfile(folder).walk(_as_folder(folder)))
    else:
        walk = _walk(folder)
    found = []
    for parent, _, names in walk:
        found += [join(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def matching(pattern: str | os.PathLike) -> list[str]:
    """Files whose name matches a pattern (`records/train-*`), in order of name.

    Only the last part of the pattern may hold `*`, `?` and `[...]`; hidden files are
    left out.

    Raises:
        OSError: the folder may not be listed.
    """
    folder, _, name = os.fspath(pattern).rpartition("/")
    if not is_address(pattern):
        folder = folder or ("/" if os.fspath(pattern).startswith("/") else ".")
        names = os.listdir(folder) if os.path.isdir(folder) else []
    else:
        with _os_errors(folder):
            gfile, folder = _gfile(folder), _as_folder(folder)
            names = gfile.listdir(folder) if gfile.isdir(folder) else []
    matches = [n for n in names if fnmatch.fnmatchcase(n, name) and n[0] != "."]
    return [join(folder, match) for match in sorted(matches)]


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a folder and those above it; there may be one.

    Raises:
        OSError: it cannot be made.
    """
    if not is_address(folder):
        os.makedirs(folder, exist_ok=True)
        return
    with _os_errors(folder):
        _gfile(folder).makedirs(os.fspath(folder))


@contextlib.contextmanager
def atomic_writer(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a local temporary path that takes the place of `path` when all went well.

    Args:
        path: the file to write, local or an address.

    Yields:
        Path beside it, hidden, or in the system's temporary folder for an address;
        nothing is left of it when the block fails.

    Raises:
        OSError: the file cannot be written.
    """
    if is_address(path):
        with tempfile.TemporaryDirectory() as folder:
            yield (temporary := Path(folder) / "content")
            with _os_errors(path):
                # Object stores show a file when the last of it has arrived.
                _gfile(path).copy(os.fspath(temporary), os.fspath(path), overwrite=True)
        return
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(paths: Iterable[str | os.PathLike]) -> None:
    """Deletes what killed writers of these files left beside them.

    Args:
        paths: files that nobody writes now; addresses have nothing beside them.
    """
    paths = {Path(path) for path in paths if not is_address(path)}
    for folder in {path.parent for path in paths}:
        for found in folder.glob(".*"):
            name, _, process = found.name[1:].rpartition(".")
            if process.isdecimal() and folder / name in paths:
                found.unlink()


class _RemoteReader(io.RawIOBase):
    """A remote file as Python's own files are, whose errors are OSErrors."""

    def __init__(self, path):
        self._path = os.fspath(path)
        with _os_errors(path):
            gfile = _gfile(path)
            self._size = gfile.stat(self._path).length
            self._file = gfile.GFile(self._path, "rb")
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
    """`tf.io.gfile`, once it knows the scheme of this address."""
    import tensorflow as tf

    scheme = _ADDRESS.match(os.fspath(path))[1].lower()
    if scheme not in tf.io.gfile.get_registered_schemes():
        try:
            import tensorflow_io  # noqa: F401 (it registers file systems)

            _leave_before_destructors()
        except Exception as error:  # Beside another TensorFlow it fails in many ways.
            raise ValueError(
                f"{path}: {scheme}:// needs tensorflow-io, which works beside "
                "TensorFlow 2.16 only: in an environment of its own, pip install "
                "'kinetics-i3d-tf2[io]'"
            ) from error
    if scheme not in tf.io.gfile.get_registered_schemes():
        raise ValueError(f"{path}: there is no file system for {scheme}://")
    return tf.io.gfile


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
def _os_errors(path):
    """Turns TensorFlow's errors into the OSErrors of local files."""
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


def _walk(folder):
    def fail(error):
        raise error

    seen = set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        real = os.path.realpath(parent)
        if real in seen:  # A link to a folder above it.
            folders.clear()
            continue
        seen.add(real)
        yield parent, folders, names
