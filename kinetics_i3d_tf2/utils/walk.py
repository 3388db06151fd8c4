"""What lies below a folder: regular files, and what cannot be read as one."""

import os
from typing import NamedTuple

from .remote import storage
from .remote.addresses import is_address


class Below(NamedTuple):
    """What lies below a folder, in order of name; hidden names are left out.

    Attributes:
        files: paths of the regular files.
        special: paths of FIFOs, sockets, devices and broken links, which would block
            or fail when they are opened.
        unlisted: folders that may not be listed.
    """

    files: list[str]
    special: list[str]
    unlisted: list[str]


def below(folder: str | os.PathLike) -> Below:
    """Lists a folder and the folders in it.

    Symbolic links are followed; a link to a folder above itself is left out.

    Args:
        folder: the folder, local or an address.

    Raises:
        OSError: the folder does not exist, or may not be listed.
    """
    folder, found = os.fspath(folder), Below([], [], [])
    if is_address(folder):
        start = len(folder.rstrip("/"))
        paths = storage.find(folder)
        found.files.extend(path for path in paths if "/." not in path[start:])
    else:
        _add(folder, (), found)
    for paths in found:
        paths.sort()
    return found


def require_regular(path: str | os.PathLike) -> None:
    """Checks that a file can be read at any place and has an end.

    Args:
        path: what exists there; addresses always are.

    Raises:
        ValueError: it is a folder, a pipe, a socket or a device.
    """
    if is_address(path) or not os.path.exists(path) or os.path.isfile(path):
        return
    if os.path.isdir(path):
        raise ValueError(f"{path}: is a folder, expected a file")
    raise ValueError(
        f"{path}: is a pipe or a device, which is not read here; save it to a file"
    )


def _add(folder, above, found):
    """Adds what is in a folder; `above` are the real paths of the folders above it."""
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        with os.scandir(folder) as entries:
            entries = list(entries)
    except OSError:
        if not above:
            raise
        found.unlisted.append(folder)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = os.path.join(folder, entry.name)
        if os.path.isdir(path) if entry.is_symlink() else entry.is_dir():
            _add(path, (*above, real), found)
        else:
            is_file = os.path.isfile(path) if entry.is_symlink() else entry.is_file()
            (found.files if is_file else found.special).append(path)
