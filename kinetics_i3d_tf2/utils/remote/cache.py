"""Copies of remote files that are kept: checkpoints are fetched once."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import logging

from ..file_system import exclusive
from . import storage
from .addresses import redact, without_query

VARIABLE = "KINETICS_I3D_CACHE"


def folder() -> Path:
    """The cache folder: `$KINETICS_I3D_CACHE`, else one in `$XDG_CACHE_HOME`."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "kinetics_i3d_tf2")


def copy_to(address: str | os.PathLike, target: str | os.PathLike) -> None:
    """Copies a remote file to a local path, from the cache if it has not changed.

    A file is recognised by what its server says of it: ETag, size, time of change. An
    older copy is deleted. Files whose servers do not say are copied and not kept.

    Args:
        address: the file.
        target: local path; it may become a link to the file in the cache, and must not
            be written to.

    Raises:
        OSError: there is no such file, or it cannot be copied.
    """
    entry = _entry(address, "file")
    if entry is None:
        storage.download(address, target)
        return
    with exclusive(entry.parent / ".lock", wait=True):
        if not entry.exists():
            _fetch(address, entry)
        else:
            logging.debug("%s: is %s", redact(address), entry)
        _link(entry, target)


def remembered(address: str, name: str, compute: Callable[[], Any]) -> Any:
    """What a function computes of a remote file, from the cache if it has not changed.

    Args:
        address: the file.
        name: what is computed.
        compute: returns values of JSON.

    Returns:
        The values, as JSON gives them back.

    Raises:
        OSError: there is no such file, and what `compute` raises.
    """
    entry = _entry(address, name)
    if entry is not None and entry.exists():
        with contextlib.suppress(ValueError):
            return json.loads(entry.read_text(encoding="utf-8"))
    text = json.dumps(compute())
    if entry is not None:
        with tempfile.TemporaryDirectory(dir=entry.parent) as aside:
            partial = Path(aside, "content")
            partial.write_text(text, encoding="utf-8")
            _keep(partial, entry)
    return json.loads(text)


def _entry(address, kind):
    """Path in the cache, in an existing folder; None if nothing can be kept.

    Raises:
        OSError: there is no such file.
    """
    facts = storage.facts(address)
    if facts.is_dir:
        raise IsADirectoryError(f"{redact(address)}: is a folder, not a file")
    if facts.version is None:
        return None
    place, version = (
        hashlib.sha256(text.encode()).hexdigest()[:16]
        for text in (redact(address), facts.version)
    )
    suffix = without_query(address).rpartition("/")[2][-80:]
    path = folder() / kind / place / f"{version}-{suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.access(path.parent, os.W_OK):
            return path
    except OSError:
        pass
    logging.warning(
        "%s cannot be written to, so remote files are fetched every time; set %s",
        folder(), VARIABLE,
    )  # fmt: skip
    return None


def _fetch(address, entry):
    logging.info("Fetching %s", redact(address))
    with tempfile.TemporaryDirectory(dir=entry.parent) as aside:
        partial = Path(aside, "content")
        storage.download(address, partial)
        _keep(partial, entry)


def _keep(partial, entry):
    """Moves a file into the cache, and deletes those of other versions."""
    os.replace(partial, entry)
    for other in entry.parent.iterdir():
        if other.is_file() and other != entry and other.name[0] != ".":
            other.unlink(missing_ok=True)


def _link(entry, target):
    Path(target).unlink(missing_ok=True)
    try:
        os.link(entry, target)
    except OSError:  # On another disk.
        shutil.copyfile(entry, target)
