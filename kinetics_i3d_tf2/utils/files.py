"""One way to files on this machine and behind addresses (s3://, http://, gs://)."""

import contextlib
import fnmatch
import io
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from .remote import RemoteReader, as_folder, gfile, is_address, os_errors


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
        OSError: there is no such file, or it may not be opened.
        ValueError: the address needs the extra `io`.
    """
    if not is_address(path):
        if "b" in mode:
            return open(path, mode)
        encoding = "utf-8-sig" if mode == "r" else "utf-8"
        return open(path, mode, encoding=encoding, newline="")
    if mode == "rb":
        return io.BufferedReader(RemoteReader(path), 1 << 18)
    if mode == "r":
        return io.TextIOWrapper(open_file(path, "rb"), "utf-8-sig", newline="")
    with os_errors(path):
        return gfile(path).GFile(os.fspath(path), mode)


def exists(path: str | os.PathLike) -> bool:
    """Whether there is such a file or folder."""
    if not is_address(path):
        return os.path.exists(path)
    with os_errors(path):
        return gfile(path).exists(os.fspath(path))


def is_dir(path: str | os.PathLike) -> bool:
    """Whether there is such a folder."""
    if not is_address(path):
        return os.path.isdir(path)
    with os_errors(path):
        return gfile(path).isdir(as_folder(path))


def size(path: str | os.PathLike) -> int:
    """Bytes of a file.

    Raises:
        OSError: there is no such file.
    """
    if not is_address(path):
        return os.path.getsize(path)
    with os_errors(path):
        return gfile(path).stat(os.fspath(path)).length


def files_below(folder: str | os.PathLike) -> list[str]:
    """Every file in a folder and the folders in it, in order of name.

    Symbolic links to folders are followed; hidden files and folders are left out.

    Raises:
        OSError: there is no such folder, or it may not be listed.
    """
    folder = os.fspath(folder)
    if is_address(folder):
        with os_errors(folder):
            walk = list(gfile(folder).walk(as_folder(folder)))
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
        with os_errors(folder):
            files, folder = gfile(folder), as_folder(folder)
            names = files.listdir(folder) if files.isdir(folder) else []
    matches = [n for n in names if fnmatch.fnmatchcase(n, name) and n[0] != "."]
    return [join(folder, match) for match in sorted(matches)]


def remove(path: str | os.PathLike) -> None:
    """Deletes a file, if it is there.

    Raises:
        OSError: it cannot be deleted.
    """
    if not exists(path):
        return
    if not is_address(path):
        os.remove(path)
        return
    with os_errors(path):
        gfile(path).remove(os.fspath(path))


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a folder and those above it; there may be one.

    Raises:
        OSError: it cannot be made.
    """
    if not is_address(folder):
        os.makedirs(folder, exist_ok=True)
        return
    with os_errors(folder):
        gfile(folder).makedirs(os.fspath(folder))


def copy_to_local(path: str | os.PathLike, target: str | os.PathLike) -> None:
    """Copies a file to a local path.

    Args:
        path: local path or address.
        target: local path.

    Raises:
        OSError: there is no such file, or it cannot be copied.
    """
    with open_file(path, "rb") as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)


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
            with os_errors(path):
                # Object stores show a file when the last of it has arrived.
                gfile(path).copy(os.fspath(temporary), os.fspath(path), overwrite=True)
        return
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a folder that gets its name when all in it is on the disk.

    Args:
        path: the folder to make, on this machine; one writer at a time.

    Yields:
        Path beside it, hidden, in which nothing is; nothing is left of it when the
        block fails, and what a killed writer left is deleted.

    Raises:
        OSError: a file cannot be written, or there is such a folder already.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for written in (*temporary.rglob("*"), temporary):
            sync(written)
        os.rename(temporary, path)
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: str | os.PathLike, content) -> None:
    """Writes a JSON file, whole or not at all.

    Args:
        path: the file, local or an address.
        content: what JSON can hold.

    Raises:
        OSError: the file cannot be written; an earlier one is as it was.
    """
    with atomic_writer(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def sync(path: str | os.PathLike) -> None:
    """Waits until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_unfinished(paths: Iterable[str | os.PathLike]) -> None:
    """Deletes what killed writers of these files left beside them.

    Args:
        paths: files that nobody writes now; addresses have nothing beside them.
    """
    paths = {Path(path) for path in paths if not is_address(path)}
    for folder in {path.parent for path in paths}:
        for found in folder.glob(".*"):
            name, _, suffix = found.name[1:].rpartition(".")
            if len(suffix) == 32 and folder / name in paths:
                found.unlink()


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
