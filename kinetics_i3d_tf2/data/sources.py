"""Inputs given by path, pattern or list, and the names of their results."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..utils import files
from . import annotations, clip_reader, datasets
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records import tfrecord
from .records.tfrecord import Record

_WILDCARD = re.compile(r"[*?\[]")
_RECORDS = re.compile(r"-\d{5}-of-\d{5}$|\.tfrecords?$")


class Input(NamedTuple):
    """A video, a span of one or a record.

    Attributes:
        name: unique name, a path without suffix: `train/jump/a`.
        source: the video or record.
    """

    name: str
    source: Clip | Record


def find(names: Sequence[str]) -> list[Input]:
    """Finds videos and records.

    Args:
        names: video files, folders (searched recursively), patterns (`videos/*.mp4`),
            CSVs with a column `path` (see `datasets.read_csv`), record files, and
            folders of them.

    Returns:
        The inputs, in order, without duplicates. Names are paths relative to the folder
        given; spans of a video add their seconds; records have their own names.

    Raises:
        OSError: a file or folder does not exist.
        ValueError: nothing is found, or two inputs would have the same name.
    """
    found = [pair for name in names for pair in _find(os.fspath(name))]
    if not found:
        raise ValueError(f"there are no videos or records in {', '.join(names)}")
    return _named(found)


def of_table(clips: Iterable[Clip | Record]) -> list[Input]:
    """Names the clips of a dataset by their path relative to their common folder.

    Args:
        clips: clips or records.

    Returns:
        The inputs, in order, without duplicates.

    Raises:
        ValueError: two inputs would have the same name.
    """
    return _named(list(_of_table(list(clips))))


def _find(name):
    """Yields pairs of a folder and a source that is below it."""
    if files.is_dir(name):
        paths = [path for path in files.files_below(name) if _RECORDS.search(path)]
        if paths:
            yield from ((name, record) for record in tfrecord.find_records(paths))
        else:
            yield from ((name, Clip(path)) for path in annotations.video_files(name))
    elif files.exists(name) or not _WILDCARD.search(name):
        if not files.exists(name):
            raise FileNotFoundError(f"{name}: there is no such file or folder")
        yield from _of_file(os.path.dirname(name), name)
    else:
        fixed = name[: _WILDCARD.search(name).start()].rpartition("/")[0]
        if files.is_address(name):
            matches = files.matching(name)
        else:
            matches = sorted(glob.glob(name, recursive=True))
        for match in matches:
            if not files.is_dir(match):
                yield from _of_file(fixed, match)


def _of_file(folder, path):
    if path.lower().endswith(".csv"):
        yield from _of_table(datasets.read_csv(path).clips)
    elif _RECORDS.search(path):
        yield from ((folder, record) for record in tfrecord.find_records([path]))
    else:
        yield folder, Clip(path)


def _of_table(clips) -> Iterator[tuple[str, Clip | Record]]:
    folder = os.path.commonprefix([os.path.dirname(clip.path) + "/" for clip in clips])
    return ((folder.rpartition("/")[0], clip) for clip in clips)


def _named(found):
    named = {}
    # Files that differ in their suffix alone keep it.
    stems = Counter(_name(folder, source) for folder, source in dict.fromkeys(found))
    for folder, source in dict.fromkeys(found):
        name = _name(folder, source)
        if stems[name] > 1 and isinstance(source, Clip):
            name = _name(folder, source, keep_suffix=True)
        other = named.setdefault(name, source)
        if other != source:
            raise ValueError(
                f"{other.path} and {source.path} would both be called {name}; pass the "
                "folder above both, or one at a time"
            )
    return [Input(name, source) for name, source in named.items()]


def _name(folder, source, keep_suffix=False):
    if isinstance(source, Record):
        try:
            return clip_reader.open_clip(source, ClipRecipe()).example_id
        except ValueError:  # Reading it later reports the reason.
            return f"{files.stem(source.path)}_{source.offset}"
    path = source.path[len(folder) :].lstrip("/") if folder else source.path
    name = path.lstrip("/") if keep_suffix else os.path.splitext(path)[0].lstrip("/")
    if source.start is not None or source.end is not None:
        end = "" if source.end is None else f"{source.end:g}"
        name += f"_{source.start or 0:g}_{end}"
    return name
