"""Folders that a program goes on in: one run at a time, with the settings as before."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import filelock

from . import files


@contextlib.contextmanager
def only_run(folder: str | os.PathLike, *, lock: str = ".lock") -> Iterator[None]:
    """Keeps a second run out of a folder; out of addresses, the user must.

    Args:
        folder: the folder, which is there.
        lock: name of the file in it that is locked.

    Raises:
        ValueError: another run is writing there.
    """
    if files.is_address(folder):
        yield
        return
    try:
        with filelock.FileLock(files.join(folder, lock), timeout=0):
            yield
    except filelock.Timeout as error:
        raise ValueError(f"{folder}: another run is writing there") from error


def keep_settings(
    path: str | os.PathLike,
    settings: dict,
    *,
    notes: dict | None = None,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Writes a run's settings, or compares them with those that are there.

    Args:
        path: the JSON file.
        settings: what the results follow from, as JSON's types.
        notes: what people may want to know, not compared.
        renamed: today's names of settings by the names that older files have.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it is no such file, or a setting is another.
    """
    if files.exists(path):
        with files.open_file(path) as file:
            try:
                before = json.load(file)["settings"]
                before = {renamed.get(k, k): v for k, v in before.items()}
                changes = list(differences(before, settings))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"{path}: holds no settings of this program"
                ) from error
        if changes:
            raise other_settings(path, "the run in this folder", changes[0])
        return
    files.write_json(path, {"settings": settings, "notes": notes or {}})


def other_settings(
    path: str | os.PathLike, what: str, change: tuple[str, object, object]
) -> ValueError:
    """The error of resuming something with other settings.

    Args:
        path: the file with the settings.
        what: what was begun: "the run in this folder".
        change: name, old and new value of a setting.
    """
    key, old, new = change
    return ValueError(
        f"{path}: {what} was begun with {key} {old}, now {new}. Use the same settings "
        "to resume, or another output folder (--out)"
    )


def differences(before: dict, now: dict) -> Iterator[tuple]:
    """Yields (name, old value, new value) of what differs, at any depth."""
    for key, new in now.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new)
        elif old != new:
            yield key, old, new


def digest(parts: Iterable[Sequence]) -> str:
    """A fingerprint of clips or records that stays when their folder moves.

    Args:
        parts: lists of `Clip` or `Record`.

    Returns:
        64 hex digits.
    """
    parts = list(parts)
    common = os.path.commonprefix([clip.path for part in parts for clip in part])
    root = common.rpartition("/")[0]  # The name of a single file counts.
    relative = [[c._replace(path=c.path[len(root) :]) for c in part] for part in parts]
    return digest_text(relative)


def digest_text(content) -> str:
    """A fingerprint of texts and numbers in lists, 64 hex digits."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
