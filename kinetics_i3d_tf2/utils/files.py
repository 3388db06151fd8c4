"""Files on this machine and at addresses (s3://, http://, gs://), in one way."""

import contextlib
import fnmatch
import io
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from . import remote, walk
from .remote import is_address


def join(folder: str | os.PathLike, *names: str) -> str:
    """Joins a folder, local or an address, and names below it."""
    folder = os.fspath(folder)
    if is_address(folder):
        return "/".join([folder.rstrip("/"), *(name.strip("/") for name in names)])
    return os.path.join(folder, *names)


def stem(path: str | os.PathLike) -> str:
    """Name of a file without its folder and suffix."""
    return os.path.splitext(os.fspath(path).rsplit("/", 1)[-1])[0]


def open_file(path: str | os.PathLike, mode: str = "r") -> io.IOBase:
    """Opens a file; text is UTF-8, with or without a byte order mark.

    Args:
        path: local path or address.
        mode: "r", "rb", "w", "wb"; "a" and "ab" for local files and where the remote
            file system appends.

    Returns:
        File object; a context manager.

    Raises:
        OSError: the file does not exist, or may not be opened.
        ValueError: the address needs the extra `io`.
    """
    encoding = "utf-8-sig" if mode == "r" else "utf-8"
    if is_address(path):
        file = remote.open_file(path, mode if mode != "r" else "rb")
        return io.TextIOWrapper(file, encoding, newline="") if mode == "r" else file
    if "b" in mode:
        return open(path, mode)
    return open(path, mode, encoding=encoding, newline="")


def exists(path: str | os.PathLike) -> bool:
    """Whether a file or folder exists."""
    return remote.exists(path) if is_address(path) else os.path.exists(path)


def is_dir(path: str | os.PathLike) -> bool:
    """Whether a folder exists."""
    return remote.is_dir(path) if is_address(path) else os.path.isdir(path)


def size(path: str | os.PathLike) -> int:
    """Size of a file in bytes.

    Raises:
        OSError: the file does not exist.
    """
    return remote.size(path) if is_address(path) else os.path.getsize(path)


def files_below(folder: str | os.PathLike) -> list[str]:
    """Every file in a folder and the folders in it, in order of name.

    Symbolic links are followed; hidden files, FIFOs, sockets and devices are left out.
    `walk.below` also tells what was left out.

    Raises:
        OSError: the folder does not exist, or it or one below may not be listed.
    """
    found = walk.below(folder)
    for unlisted in found.unlisted:
        raise PermissionError(f"{unlisted}: the folder may not be listed")
    return found.files


def matching(pattern: str | os.PathLike) -> list[str]:
    """Files whose name matches a pattern (`records/train-*`), in order of name.

    Only the last part of the pattern may hold `*`, `?` and `[...]`; hidden files are
    left out.

    Raises:
        OSError: the folder may not be listed.
    """
    folder, _, name = os.fspath(pattern).rpartition("/")
    if is_address(pattern):
        names = remote.list_dir(folder)
    else:
        folder = folder or ("/" if os.fspath(pattern).startswith("/") else ".")
        names = os.listdir(folder) if os.path.isdir(folder) else []
    matches = [n for n in names if fnmatch.fnmatchcase(n, name) and n[0] != "."]
    return [join(folder, match) for match in sorted(matches)]


def remove(path: str | os.PathLike) -> None:
    """Deletes a file if it exists.

    Raises:
        OSError: it cannot be deleted.
    """
    if exists(path):
        remote.remove(path) if is_address(path) else os.remove(path)


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a folder, and those above it, unless it exists.

    Raises:
        OSError: it cannot be made.
    """
    if is_address(folder):
        remote.make_dirs(folder)
    else:
        os.makedirs(folder, exist_ok=True)


def copy_to_local(path: str | os.PathLike, target: str | os.PathLike) -> None:
    """Copies a file to a local path.

    Args:
        path: local path or address.
        target: local path.

    Raises:
        OSError: the file does not exist, or cannot be copied.
    """
    with open_file(path, "rb") as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)


@contextlib.contextmanager
def atomic_writer(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path whose file replaces `path` when the block succeeds.

    Args:
        path: the file to write, local or an address.

    Yields:
        Local path, hidden in the same folder, or in the system's temporary folder for
        an address; it is deleted when the block fails.

    Raises:
        OSError: the file cannot be written.
    """
    if is_address(path):
        with tempfile.TemporaryDirectory() as folder:
            yield (temporary := Path(folder) / "content")
            remote.upload(temporary, path)
        return
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, content) -> None:
    """Writes a JSON file, whole or not at all.

    Args:
        path: the file, local or an address.
        content: what JSON can hold.

    Raises:
        OSError: the file cannot be written; an earlier one is kept.
    """
    with atomic_writer(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
