"""Files on this machine and at addresses (s3://, http://, gs://), in one way.

Addresses need the packages of the extras `s3`, `gcs` and `http`; without them, every
function here raises a ValueError that names the package.
"""

import contextlib
import fnmatch
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import walk, whole_files
from .remote import cache, file_systems, reader, storage
from .remote.addresses import is_address, redact, split_query, without_query
from .scratch import temporary_folder
from .whole_files import STDOUT as STDOUT


def join(folder: str | os.PathLike, *names: str) -> str:
    """Joins a folder, local or an address, and names below it."""
    folder = os.fspath(folder)
    if is_address(folder):
        return "/".join([folder.rstrip("/"), *(name.strip("/") for name in names)])
    return os.path.join(folder, *names)


def absolute(path: str | os.PathLike) -> str:
    """A path that means the same file in any working folder; addresses do already."""
    return os.fspath(path) if is_address(path) else os.path.abspath(path)


def from_folder(path: str | os.PathLike, folder: str | os.PathLike) -> str:
    """A path that was relative to a folder, for a process in another; keeps ".."."""
    return os.fspath(path) if is_address(path) else os.path.join(folder, path)


def add_suffix(path: str | os.PathLike, suffix: str) -> str:
    """A path with a suffix; of a signed address, before its query."""
    name, query = split_query(path)
    return f"{name}{suffix}{query}"


def sibling(path: str | os.PathLike, name: str) -> str:
    """Another file in the folder of a file, by the same query if it has one."""
    path, query = split_query(path)
    return join(os.path.dirname(path), name) + query


def stem(path: str | os.PathLike) -> str:
    """Name of a file without its folder and suffix."""
    return os.path.splitext(without_query(path).rsplit("/", 1)[-1])[0]


def open_file(path: str | os.PathLike, mode: str = "r") -> io.IOBase:
    """Opens a file; text is UTF-8, with or without a byte order mark.

    Args:
        path: local path or address.
        mode: "r" or "rb"; "w", "wb", "a" and "ab" for local files only. To write to an
            address, use `atomic_writer`.

    Returns:
        File object, which can seek; a context manager.

    Raises:
        OSError: the file does not exist, or may not be opened.
        ValueError: an address is opened for writing.
    """
    encoding = "utf-8-sig" if mode == "r" else "utf-8"
    if is_address(path):
        if mode not in ("r", "rb"):
            raise ValueError(
                f"{redact(path)}: files at addresses are written whole, with "
                f"atomic_writer. Received: mode={mode!r}"
            )
        file = reader.open_file(path)
        return io.TextIOWrapper(file, encoding, newline="") if mode == "r" else file
    if "b" in mode:
        return open(path, mode)
    return open(path, mode, encoding=encoding, newline="")


def exists(path: str | os.PathLike) -> bool:
    """Whether a file or folder exists."""
    return storage.exists(path) if is_address(path) else os.path.exists(path)


def is_dir(path: str | os.PathLike) -> bool:
    """Whether a folder exists."""
    return storage.is_dir(path) if is_address(path) else os.path.isdir(path)


def size(path: str | os.PathLike) -> int:
    """Size of a file in bytes.

    Raises:
        OSError: the file does not exist.
    """
    return storage.size(path) if is_address(path) else os.path.getsize(path)


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
        names = storage.list_dir(folder)
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
        storage.remove(path) if is_address(path) else os.remove(path)


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a folder, and those above it, unless it exists.

    Raises:
        OSError: it cannot be made.
    """
    if is_address(folder):
        storage.make_dirs(folder)
    else:
        try:
            os.makedirs(folder, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            message = f"{folder}: a file is in place of this folder, or of one above"
            raise type(error)(message) from error


def check_writable(path: str | os.PathLike) -> None:
    """Finds out, before the work, that a file or folder cannot be written.

    Nothing is left behind: folders that are missing are not made yet.

    Args:
        path: file or folder that will be written, local or an address.

    Raises:
        OSError: nothing can be written there, or there is no such bucket.
        ValueError: a file is where a folder must be, an address can only be read, or
            the path is "-".
    """
    if is_address(path):
        file_systems.check_writable(path)
    else:
        whole_files.check_writable(path)


def copy_to_local(path: str | os.PathLike, target: str | os.PathLike) -> None:
    """Copies a file to a local path; one at an address is fetched once and cached.

    Args:
        path: local path or address.
        target: local path. It may become a link to the file in the cache, and must not
            be written to.

    Raises:
        OSError: the file does not exist, or cannot be copied.
    """
    if is_address(path):
        cache.copy_to(path, target)
    else:
        shutil.copyfile(path, target)


def read_range(path: str | os.PathLike, start: int, end: int) -> bytes:
    """Reads a part of a file; of one at an address, in one request.

    Args:
        path: local path or address.
        start: offset of the first byte.
        end: offset behind the last byte.

    Returns:
        The bytes; fewer at the end of the file.

    Raises:
        OSError: the file does not exist, or may not be read.
    """
    if is_address(path):
        return storage.read_range(path, start, end)
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(end - start)


@contextlib.contextmanager
def atomic_writer(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path whose file replaces `path` when the block succeeds.

    Args:
        path: the file to write, local or an address; "-" is standard output, for text.
            A device or a pipe is written to and not replaced.

    Yields:
        Local path, hidden in the same folder, or in the system's temporary folder for
        an address or a device; it is deleted when the block fails.

    Raises:
        OSError: the file cannot be written; the error names it.
    """
    if is_address(path):
        with temporary_folder() as folder:
            yield (temporary := Path(folder) / "content")
            storage.upload(temporary, path)
        return
    with whole_files.writer(path) as temporary:
        yield temporary


def write_json(path: str | os.PathLike, content) -> None:
    """Writes a JSON file, whole or not at all, without credentials of addresses.

    Args:
        path: the file, local or an address.
        content: what JSON can hold.

    Raises:
        OSError: the file cannot be written; an earlier one is kept.
    """
    with atomic_writer(path) as temporary:
        text = redact(json.dumps(content, indent=2))
        temporary.write_text(text + "\n", encoding="utf-8")
