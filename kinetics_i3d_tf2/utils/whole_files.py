"""Local files that are written whole or not at all, with errors that name them."""

import contextlib
import errno
import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from .scratch import temporary_folder

STDOUT = "-"  # In place of a path.
# How NumPy and HDF5 say that a disk is full.
_WRITE_ERROR = re.compile(r"requested and \d+ written|errno = \d+")


@contextlib.contextmanager
def writer(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path whose file replaces a local one; see `files`.

    Args:
        path: the file. A device or a pipe is written to and not replaced; "-" is
            standard output, for text.

    Yields:
        Path of a hidden file in the same folder; of a device, in another.

    Raises:
        OSError: the file cannot be written; the error names it.
    """
    if os.fspath(path) == STDOUT:
        with temporary_folder() as folder:
            yield (temporary := Path(folder) / "content")
            sys.stdout.write(temporary.read_text(encoding="utf-8"))
            sys.stdout.flush()
        return
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        with temporary_folder() as folder:
            yield (temporary := Path(folder) / "content")
            with write_errors_of(path, path), open(path, "wb") as target:
                target.write(temporary.read_bytes())
        return
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with write_errors_of(path, temporary):
            yield temporary
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def write_errors_of(
    path: str | os.PathLike, temporary: str | os.PathLike
) -> Iterator[None]:
    """Names a file in errors of writing it: a full disk has no name.

    Args:
        path: the file or folder that is written.
        temporary: where it is written first; errors that name what is there, or
            nothing, are of writing.

    Raises:
        OSError: with the name.
    """
    try:
        yield
    except OSError as error:
        name = error.filename if isinstance(error.filename, str) else ""
        is_named = not os.fspath(temporary).startswith(name) and not name.startswith(
            os.fspath(temporary)
        )
        is_other = error.errno is None and not _WRITE_ERROR.search(str(error))
        if is_named or is_other:
            raise
        why = error.strerror or " ".join(str(error).split())
        # Other libraries' kinds of OSError take other arguments.
        kinds = type(error).__mro__
        kind = next(each for each in kinds if each.__module__ == "builtins")
        found = kind(f"{path}: cannot be written: {why}")
        found.errno = error.errno
        raise found from error


def require_space(path: str | os.PathLike, size: int) -> None:
    """Checks that there is space for a file that a library is going to write.

    Args:
        path: the file, which does not exist yet, in an existing folder.
        size: bytes.

    Raises:
        OSError: there is not.
    """
    if not hasattr(os, "posix_fallocate"):
        free = shutil.disk_usage(os.path.dirname(path)).free
        if free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
        os.unlink(path)


def check_writable(path: str | os.PathLike) -> None:
    """Finds out that a local file or folder cannot be written, leaving nothing.

    Args:
        path: what will be written; folders that are missing are not made.

    Raises:
        OSError: nothing can be written there.
        ValueError: a file is where a folder must be, or the path is "-".
    """
    if os.fspath(path) == STDOUT:
        raise ValueError(
            "-: standard output takes a single text; name a file or folder (./- is one "
            "of this name)"
        )
    folder = os.path.abspath(path)
    while not os.path.isdir(folder):
        above = os.path.dirname(folder)
        if os.path.exists(folder) and folder != os.path.abspath(path):
            raise ValueError(f"{path}: cannot be written: {folder} is a file")
        folder = above
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{path}: cannot be written: {error.strerror or error} ({folder})"
        ) from error
