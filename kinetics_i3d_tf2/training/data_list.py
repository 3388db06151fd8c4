"""clips.csv of a run: the clips that it began with, compared when it is resumed."""

import collections
import csv
import json
import os
from collections.abc import Sequence

from absl import logging

from ..data.records.tfrecord import Record
from ..data.sources import fingerprints
from ..utils import files
from ..utils.text import printable
from .options import TrainingData

_NAME = "clips.csv"
_COLUMNS = ("use", "path", "part", "label", "fingerprint")
_CODEC = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
_USES = ("training", "validation")
_SHOWN = 3  # Names in a message.


class ChangedDataError(ValueError):
    """The clips are others than those that a run began with."""


def check_data(folder: str | os.PathLike, data: TrainingData, today: dict) -> None:
    """Compares the clips with those that a run began with, if it is resumed.

    Videos that were written to since are named in a warning: the run goes on with them
    as they are. Their folder may have moved.

    Args:
        folder: folder of the run, on this machine.
        data: the clips and their classes.
        today: the settings, as of `options.settings`.

    Raises:
        OSError: a file cannot be read.
        ChangedDataError: clips or classes were added or removed, or labels changed.
    """
    path, settings = (files.join(folder, n) for n in (_NAME, "settings.json"))
    has_list = os.path.exists(path)
    if os.path.exists(settings):
        _check_settings(settings, data, () if has_list else _USES, today)
    if not has_list:
        return
    with open(path, **_CODEC) as file:
        header, *before = [*map(tuple, csv.reader(file))] or [()]
    if header != _COLUMNS or any(len(row) != len(_COLUMNS) for row in before):
        raise ValueError(f"{path}: is no list of clips of this program; delete it")
    _compare(folder, before, _rows(data))


def keep_data(folder: str | os.PathLike, data: TrainingData) -> None:
    """Writes the list of a run's clips, unless it is there.

    Raises:
        OSError: it cannot be written.
    """
    path = files.join(folder, _NAME)
    if os.path.exists(path):
        return
    with (
        files.atomic_writer(path) as temporary,
        open(temporary, "w", **_CODEC) as file,
    ):
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *_rows(data)])


def _rows(data):
    """A row for each clip, as of the file."""
    rows = []
    for use in _USES:
        sources = list(getattr(data, use))
        found = fingerprints(sources)
        rows += [(use, *_row(s), f) for s, f in zip(sources, found, strict=True)]
    return rows


def _row(source):
    if isinstance(source, Record):
        return files.redact(source.path), f"{source.offset}+{source.length}", ""
    part = "" if source.start is source.end is None else f"{source.start}..{source.end}"
    labels = [_with_times(interval) for interval in source.intervals]
    return files.redact(source.path), part, "|".join(labels) or source.label


def _with_times(interval):
    if interval.start is interval.end is None:
        return interval.label
    return f"{interval.label} {interval.start}..{interval.end}"


def _check_settings(path, data, uses, today):
    """Compares the classes and, of older runs without a list, the numbers of clips."""
    try:
        with files.open_file(path) as file:
            before = json.load(file)["settings"]
        classes = list(before["classes"])
        clips = {use: before[use] for use in uses}
        counts = {use: int(text.split()[0]) for use, text in clips.items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return  # What it is instead is reported later.
    changes = _added_and_removed("class", "classes", classes, data.class_names)
    if not changes and list(data.class_names) != classes:
        changes = ["the classes are in another order"]
    for use, count in counts.items():
        found = len(getattr(data, use))
        if count != found:
            changes.append(f"{use}: {count} clips then, {found} now")
        elif clips[use] != today[use]:
            changes.append(f"{use}: other clips, or in another order")
    if changes:
        raise _changed(path, changes)


def _compare(folder, before, now):
    """Raises if clips differ; warns of videos that were written to."""
    moved = not {row[1] for row in before} & {row[1] for row in now}
    keys_before, keys_now = (_keys(rows, moved) for rows in (before, now))
    changes = []
    for use in _USES:
        of_use = [
            [_shown(key) for key in keys if key[0] == use]
            for keys in (keys_before, keys_now)
        ]
        found = _added_and_removed("clip", "clips", *of_use)
        changes += [f"{use}: {change}" for change in found]
    if not changes:
        relabelled = [
            _shown(key)
            for key, row in keys_now.items()
            if keys_before[key][3] != row[3]
        ]
        if relabelled:
            changes = [f"other labels of {_some(relabelled)}"]
        elif list(keys_before) != list(keys_now):
            changes = ["the clips are in another order"]
    if changes:
        raise _changed(files.join(folder, _NAME), changes)
    written = [
        _shown(key)
        for key, row in keys_now.items()
        if row[4] and keys_before[key][4] and row[4] != keys_before[key][4]
    ]
    if written:
        logging.warning(
            "%d files have changed since this run began, or were copied (%s); it goes "
            "on with them as they are",
            len(written), _some(written),
        )  # fmt: skip


def _keys(rows, moved):
    """Rows by what identifies a clip: its use, path, part and number among equals."""
    root = ""
    if moved:
        root = os.path.commonprefix([row[1] for row in rows]).rpartition("/")[0]
    seen, keys = collections.Counter(), {}
    for row in rows:
        path = row[1][len(root) :].lstrip("/") if root else row[1]
        key = (row[0], path, row[2])
        seen[key] += 1
        keys[(*key, seen[key])] = row
    return keys


def _shown(key):
    """A clip for messages."""
    return printable(key[1]) + (f" ({key[2]})" if key[2] else "")


def _added_and_removed(singular, plural, before, now):
    changes = []
    for verb, old, new in (("added", before, now), ("removed", now, before)):
        found = list((collections.Counter(new) - collections.Counter(old)).elements())
        if found:
            noun = singular if len(found) == 1 else plural
            changes.append(f"{len(found)} {noun} {verb} ({_some(found)})")
    return changes


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(printable, names[:_SHOWN]))
    return shown + ", ..." * (len(names) > _SHOWN)


def _changed(path, changes):
    folder = os.path.dirname(path)
    return ChangedDataError(
        f"{path}: the data set has changed since this run began: "
        f"{'; '.join(changes)}. A run resumes with the clips that it began with: "
        "restore them, or begin another run with the new ones from these weights: "
        f"--init={folder}/last --out=ANOTHER_FOLDER"
    )
