"""Fingerprints of input files: whether a result is still that of its input."""

import hashlib
import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from . import files

# Asking for sizes waits for storage, not for the processor.
_THREADS = 16


def of_file(path: str | os.PathLike) -> str:
    """Size and time of change of a file, as text.

    Args:
        path: a local file, a folder of images, or an address.

    Returns:
        What differs when the file was replaced or written to. Of an address it is what
        its server tells: its ETag, or its size and time. "" if nothing is known, as of
        pipes and of files that do not exist.
    """
    try:
        if files.is_address(path):
            return _of_address(path)
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(path) as entries:
                facts = sorted((e.name, _facts(e.stat())) for e in entries)
            return hashlib.sha256(ascii(facts).encode()).hexdigest()[:16]
    except (OSError, ValueError):
        return ""
    return _facts(found) if stat.S_ISREG(found.st_mode) else ""


def of_files(paths: Iterable[str]) -> dict[str, str]:
    """Fingerprints of many files, by path."""
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(paths, pool.map(of_file, paths), strict=True))


def is_newer(path: str | os.PathLike, result: str | os.PathLike) -> bool:
    """Whether an input changed after a result was written that has no fingerprint.

    Args:
        path: the input; addresses count as unchanged.
        result: a local file.
    """
    if files.is_address(path) or not os.path.exists(path):
        return False
    if not os.path.exists(result):
        return True
    return os.stat(path).st_mtime_ns > os.stat(result).st_mtime_ns


def _facts(found):
    return f"{found.st_size}-{found.st_mtime_ns}"


def _of_address(path):
    from .remote import storage

    return storage.facts(path).version or ""
