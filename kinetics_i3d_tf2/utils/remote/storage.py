"""Operations on files at addresses; `utils.files` is what others call."""

import os
import uuid
from typing import NamedTuple

from .addresses import redact, without_query
from .file_systems import appears_whole, check_writable, connect
from .retries import call

_PIECE = 8 << 20  # bytes of a download that are lost when it fails
# What file systems call the facts that change with a file's content, in lower case.
_VERSION = (
    "etag",
    "generation",
    "content-md5",
    "md5hash",
    "mtime",
    "last-modified",
    "lastmodified",
    "last_modified",
    "updated",
    "created",
)


class Facts(NamedTuple):
    """What a file system knows of a file or folder."""

    size: int | None  # bytes; None if it does not say
    is_dir: bool
    version: str | None  # changes with the content; None if it cannot be known
    has_ranges: bool  # whether parts of the file can be read


def facts(address: str | os.PathLike) -> Facts:
    """Asks for the facts about a file or folder, in one request.

    Raises:
        OSError: it does not exist, or may not be accessed.
        ValueError: a package is missing, or the scheme is unknown.
    """
    fs, path = connect(address)
    found = call(address, fs.info, path)
    known = {key.lower(): str(value) for key, value in found.items()}
    version = [known[key] for key in _VERSION if known.get(key) not in (None, "None")]
    size = found.get("size")
    return Facts(
        size,
        found.get("type") == "directory",
        "|".join([str(size), *version]) if version else None,
        found.get("partial", True) and size is not None,
    )


def exists(address: str | os.PathLike) -> bool:
    """Whether a file or folder exists."""
    try:
        fs, path = connect(address)
        call(address, fs.info, path)
    except FileNotFoundError:
        return False
    return True


def is_dir(address: str | os.PathLike) -> bool:
    """Whether a folder exists. At http://, folders end with a slash."""
    fs, path = connect(address)
    return call(address, fs.isdir, path)


def size(address: str | os.PathLike) -> int:
    """Size of a file in bytes.

    Raises:
        OSError: it does not exist, or the server does not say.
    """
    found = facts(address).size
    if found is None:
        raise OSError(f"{redact(address)}: the server does not announce the size")
    return found


def find(folder: str | os.PathLike) -> list[str]:
    """Addresses of all files in a folder and the folders in it."""
    fs, path = connect(folder)
    return _addresses(folder, path, call(folder, fs.find, path))


def list_dir(folder: str | os.PathLike) -> list[str]:
    """Names in a folder, in any order; none if it does not exist."""
    fs, path = connect(folder)
    try:
        names = call(folder, lambda: fs.ls(path, detail=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = {name.rstrip("/").rpartition("/")[2] for name in names}
    return [name for name in found if name]


def remove(address: str | os.PathLike) -> None:
    """Deletes a file."""
    fs, path = connect(address)
    call(address, fs.rm_file, path)


def make_dirs(folder: str | os.PathLike) -> None:
    """Makes a folder where file systems have them; checks the bucket where not."""
    check_writable(folder)
    if not appears_whole(folder):
        fs, path = connect(folder)
        call(folder, lambda: fs.makedirs(path, exist_ok=True))


def upload(source: str | os.PathLike, address: str | os.PathLike) -> None:
    """Copies a local file to an address, where it appears when it is whole."""
    fs, path = connect(address)
    source = os.fspath(source)
    if appears_whole(address):
        call(address, fs.put_file, source, path)
        return
    folder, _, name = path.rpartition("/")
    call(address, lambda: fs.makedirs(folder, exist_ok=True))
    aside = f"{folder}/.{name}.{uuid.uuid4().hex}"
    call(address, fs.put_file, source, aside)
    call(address, fs.mv, aside, path)


def download(address: str | os.PathLike, target: str | os.PathLike) -> Facts:
    """Copies a file to a local path, in pieces that are tried again one by one.

    Args:
        address: the file.
        target: local path.

    Returns:
        The facts about the file that was copied.

    Raises:
        OSError: it does not exist, cannot be read to its end, or changed meanwhile.
    """
    fs, path = connect(address)
    before = facts(address)
    if before.is_dir:
        raise IsADirectoryError(f"{redact(address)}: is a folder, not a file")
    if not before.has_ranges:
        call(address, fs.get_file, path, os.fspath(target))
        return before
    with open(target, "wb") as file:
        for start in range(0, before.size, _PIECE):
            end = min(start + _PIECE, before.size)
            file.write(read_range(address, start, end, exact=True))
    if facts(address).version != before.version:
        raise OSError(f"{redact(address)}: changed while it was copied; try again")
    return before


def read_range(
    address: str | os.PathLike, start: int, end: int, *, exact: bool = False
) -> bytes:
    """Reads a part of a file in one request.

    Args:
        address: the file.
        start: offset of the first byte.
        end: offset behind the last byte.
        exact: whether less than all of the range is an error.

    Returns:
        The bytes; fewer at the end of the file.

    Raises:
        OSError: it cannot be read.
    """
    fs, path = connect(address)

    def request():
        content = fs.cat_file(path, start=start, end=end)
        if exact and len(content) != end - start:
            raise OSError(f"the server sent {len(content)} of {end - start} bytes")
        return content

    return call(address, request)


def _addresses(folder, path, found):
    """The addresses of what a file system found in a folder by its own names."""
    address = without_query(folder).rstrip("/")
    path = without_query(path).rstrip("/")
    return [
        address + name[len(path) :]
        for name in found
        if name.startswith(f"{path}/") and not name.endswith("/")
    ]
