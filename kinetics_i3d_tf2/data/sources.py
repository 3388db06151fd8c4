"""Inputs given by path, pattern or list, and the names of their results."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from absl import logging

from ..utils import files, walk
from ..video.ffmpeg import is_stdin
from . import clip_streams, datasets, video_folder
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
        names: videos, each a file, an address, a folder of images or "-" for standard
            input; folders of those (searched recursively); patterns (`videos/*.mp4`);
            CSVs with a column `path` (see `datasets.read_csv`); record files, and
            folders of them. What a folder holds besides is logged in one line.

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
    if is_stdin(name):
        yield "", Clip(name)
    elif files.is_dir(name):
        yield from _of_folder(name)
    elif not _WILDCARD.search(files.without_query(name)) or files.exists(name):
        if not files.exists(name):
            shown = files.redact(name)
            raise FileNotFoundError(f"{shown}: there is no such file or folder")
        yield from _of_file(_folder(name), name)
    else:
        yield from _of_pattern(name)


def _of_pattern(pattern):
    """Files that match; of folders that match, the videos, unless `**` finds them."""
    fixed = pattern[: _WILDCARD.search(pattern).start()].rpartition("/")[0]
    if files.is_address(pattern):
        matches = files.matching(pattern)
    else:
        matches = sorted(glob.glob(pattern, recursive=True))
    for match in matches:
        if files.is_dir(match):
            found = video_folder.list_videos(match).videos
            if "**" not in pattern or found == [match]:
                yield from ((fixed, Clip(path)) for path in found)
        elif files.is_address(match) or os.path.isfile(match):
            yield from _of_file(fixed, match)
        else:
            logging.warning(
                "%s: left out: it is a FIFO, a device or a broken link", match
            )


def _of_folder(folder):
    paths = [path for path in walk.below(folder).files if _RECORDS.search(path)]
    if paths:
        yield from ((folder, record) for record in tfrecord.find_records(paths))
        return
    top = folder.rstrip("/")
    for path in video_folder.video_files(top or folder):
        if path == top:  # All of it is one clip.
            path = path if files.is_address(path) else os.path.abspath(path)
            yield os.path.dirname(path), Clip(path)
        else:
            yield folder, Clip(path)


def _of_file(folder, path):
    if files.without_query(path).lower().endswith(".csv"):
        yield from _of_table(datasets.read_csv(path).clips)
    elif _RECORDS.search(path):
        yield from ((folder, record) for record in tfrecord.find_records([path]))
    else:
        yield folder, Clip(path)


def _of_table(clips) -> Iterator[tuple[str, Clip | Record]]:
    folder = os.path.commonprefix([_folder(clip.path) + "/" for clip in clips])
    return ((folder.rpartition("/")[0], clip) for clip in clips)


def _folder(path):
    """The folder of a file; queries of addresses have slashes, too."""
    return os.path.dirname(files.without_query(path))


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
                f"{files.redact(other.path)} and {files.redact(source.path)} would "
                f"both be called {name}; pass the folder above both, or one at a time"
            )
    return [Input(name, source) for name, source in named.items()]


def _name(folder, source, keep_suffix=False):
    if isinstance(source, Record):
        try:
            return clip_streams.open_clip(source, ClipRecipe()).example_id
        except ValueError:  # Reading it later reports the reason.
            return f"{files.stem(source.path)}_{source.offset}"
    if is_stdin(source.path):
        return "stdin"
    path = files.without_query(source.path)
    name = (path[len(folder) :] if folder else path).lstrip("/")
    if not keep_suffix and (files.is_address(path) or not os.path.isdir(path)):
        name = os.path.splitext(name)[0]
    if source.start is not None or source.end is not None:
        end = "" if source.end is None else f"{source.end:g}"
        name += f"_{source.start or 0:g}_{end}"
    return name
