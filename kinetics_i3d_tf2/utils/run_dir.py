"""Folders of jobs that can be resumed: a lock, settings, and writes that are whole."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from . import file_system, files, whole_files
from .file_system import sync

# As `files.atomic_writer` names what it has not finished.
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}", re.DOTALL)


@contextlib.contextmanager
def only_run(folder: str | os.PathLike, *, lock: str = ".lock") -> Iterator[None]:
    """Keeps a second run out of a folder, as long as the block lasts.

    Args:
        folder: an existing folder. Addresses are not locked: there, the user must make
            sure that one run writes at a time.
        lock: name of the file in it that is locked.

    Raises:
        ValueError: another run is writing there.
    """
    if files.is_address(folder):
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_system.exclusive(files.join(folder, lock)))
        except file_system.LockedError as error:
            raise ValueError(
                f"{folder}: another run is writing there; it is locked {error}"
            ) from error
        file_system.warn_of_substitutes(folder)
        yield


def keep_settings(
    path: str | os.PathLike,
    settings: dict,
    *,
    notes: dict | None = None,
    upgrade: Callable[[dict], dict] = dict,
) -> None:
    """Writes a run's settings, or compares them with those of the run it resumes.

    Args:
        path: the JSON file.
        settings: everything that the results depend on, as JSON's types.
        notes: other information for people, not compared.
        upgrade: converts the settings of a file, which may be of an older version, to
            those of today.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it is another kind of file, or a setting differs.
    """
    if not files.exists(path):
        files.write_json(path, {"settings": settings, "notes": notes or {}})
        return
    with files.open_file(path) as file:
        try:
            before = json.load(file)["settings"]
            changes = list(differences(upgrade(before), settings))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: holds no settings of this program") from error
    if changes:
        raise other_settings(path, "the run in this folder", changes[0])


def other_settings(
    path: str | os.PathLike, what: str, change: tuple[str, object, object]
) -> ValueError:
    """The error of resuming something with other settings.

    Args:
        path: the file with the settings.
        what: what was begun: "the run in this folder".
        change: name, old and new value of a setting.

    Returns:
        The exception.
    """
    key, old, new = change
    return ValueError(
        f"{path}: {what} was begun with {key} {old}, now {new}. Use the same settings "
        "to resume, or another output folder (--out)"
    )


def differences(before: dict, now: dict) -> Iterator[tuple]:
    """Yields (name, old value, new value) of settings that differ, at any depth."""
    for key, new in now.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new)
        elif old != new:
            yield key, old, new


def digest(parts: Iterable[Sequence]) -> str:
    """Fingerprint of clips or records that does not change when their folder moves.

    Nor does it with the credentials in their addresses: signatures expire.

    Args:
        parts: lists of `Clip` or `Record`.

    Returns:
        64 hex digits.
    """
    parts = [
        [clip._replace(path=files.redact(clip.path)) for clip in part] for part in parts
    ]
    common = os.path.commonprefix([clip.path for part in parts for clip in part])
    root = common.rpartition("/")[0]  # The name of a single file counts.
    relative = [[c._replace(path=c.path[len(root) :]) for c in part] for part in parts]
    # Clips without intervals have the fingerprint that they had before there were any.
    return digest_text([[[x for x in c if x != ()] for c in p] for p in relative])


def digest_text(content) -> str:
    """Fingerprint of nested lists of text and numbers, 64 hex digits."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a folder that gets its name when everything in it is on the disk.

    Args:
        path: the folder to make, on this machine; one writer at a time.

    Yields:
        Empty hidden folder in the same place. It is deleted when the block fails; one
        that a killed writer left is deleted first.

    Raises:
        OSError: a file cannot be written, or the folder exists.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with whole_files.write_errors_of(path, temporary):
            yield temporary
            for written in (*temporary.rglob("*"), temporary):
                sync(written)
            os.rename(temporary, path)
            sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def clear_unfinished(folder: str | os.PathLike) -> None:
    """Deletes what killed `files.atomic_writer`s left in a folder and those below.

    Args:
        folder: a folder that nobody else is writing to; addresses leave nothing behind.
    """
    if files.is_address(folder):
        return
    for parent, folders, names in os.walk(folder):
        is_another = ".lock" in names or os.path.exists(f"{parent}/work/lock")
        if is_another and parent != os.fspath(folder):  # The folder of another run.
            folders.clear()
            continue
        for name in names:
            if _TEMPORARY.fullmatch(name):
                os.unlink(os.path.join(parent, name))
