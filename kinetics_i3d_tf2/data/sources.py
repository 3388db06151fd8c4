"""Inputs given by path, pattern or list, and the names of their results."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from absl import logging

from ..utils import files, fingerprint, walk
from ..utils.names import OutputNames, safe_part, safe_path
from ..video.ffmpeg import is_stdin
from . import clip_streams, datasets
from .clip_recipe import ClipRecipe
from .clips import Clip
from .listings import video_folder
from .records import tfrecord
from .records.tfrecord import Record

_WILDCARD = re.compile(r"[*?\[]")


class Input(NamedTuple):
    """A video, a span of one or a record.

    Attributes:
        name: unique name, a relative path without suffix: `train/jump/a`. It is a safe
            name of a file, whatever the source is called (`utils.names`).
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
        given; spans of a video add their seconds; records have their own names. Where a
        name is taken, the file's suffix or a hash of the path is added.

    Raises:
        OSError: a file or folder does not exist.
        ValueError: nothing is found.
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
        The inputs, in order, without duplicates, named as of `find`.
    """
    return _named(list(_of_table(clips)))


def resolve(inputs) -> list[Input]:
    """Makes inputs of whatever a user has: paths, a table, or inputs already.

    Args:
        inputs: a path or several, as of `find`; a `Table`, clips or records; or inputs.

    Returns:
        The inputs, named.

    Raises:
        OSError: a file or folder does not exist.
        ValueError: nothing is found.
    """
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    inputs = list(inputs)
    if all(isinstance(each, Input) for each in inputs):
        return inputs
    if all(isinstance(each, (Clip, Record)) for each in inputs):
        return of_table(inputs)
    if all(isinstance(each, (str, os.PathLike)) for each in inputs):
        return find([os.fspath(each) for each in inputs])
    raise ValueError(
        f"expected paths, a table of clips, or records. Received: {inputs!r:.80}"
    )


def check_for_workers(sources: Iterable[Clip | Record]) -> None:
    """Checks that other processes can open the sources.

    Args:
        sources: clips or records.

    Raises:
        ValueError: one is standard input.
    """
    if any(is_stdin(source.path) for source in sources):
        raise ValueError(
            "the workers of a runner cannot read standard input: save the video to a "
            "file, or omit --runner"
        )


def fingerprints(sources: Sequence[Clip | Record]) -> list[str]:
    """What identifies the content of clips, as of `utils.fingerprint.of_file`.

    Args:
        sources: clips or records.

    Returns:
        A text for each; of records with their place in the file.
    """
    of_files = fingerprint.of_files(source.path for source in sources)
    return [
        f"{of_files[s.path]}@{s.offset}" if isinstance(s, Record) else of_files[s.path]
        for s in sources
    ]


def _exists(name):
    """Whether there is such a file, also where a server does not answer now."""
    try:
        return files.exists(name)
    except OSError:  # Reading it gives the reason, and stops no other input.
        return True


def _find(name):
    """Yields pairs of a folder and a source that is below it."""
    if is_stdin(name):
        yield "", Clip(name)
    elif files.is_dir(name):
        yield from _of_folder(name)
    elif not _WILDCARD.search(files.without_query(name)) or _exists(name):
        if not _exists(name):
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
            if "**" not in pattern or video_folder.is_clip(match):
                found = video_folder.list_videos(match).videos
                yield from ((fixed, Clip(path)) for path in found)
        elif files.is_address(match) or os.path.isfile(match):
            yield from _of_file(fixed, match)
        else:
            logging.warning(
                "%s: left out: it is a FIFO, a device or a broken link", match
            )


def _of_folder(folder):
    paths = list(filter(tfrecord.is_record_file, walk.below(folder).files))
    if paths:
        yield from ((folder, record) for record in tfrecord.find_records(paths))
        return
    top = folder.rstrip("/")
    for path in video_folder.video_files(top or folder):
        if path == top:  # All of it is one clip.
            path = files.absolute(path)
            yield os.path.dirname(path), Clip(path)
        else:
            yield folder, Clip(path)


def _of_file(folder, path):
    if files.without_query(path).lower().endswith(".csv"):
        yield from _of_table(datasets.read_csv(path).clips)
    elif tfrecord.is_record_file(path):
        yield from ((folder, record) for record in tfrecord.find_records([path]))
    else:
        yield folder, Clip(path)


def _of_table(clips) -> Iterator[tuple[str, Clip | Record]]:
    clips = list(clips)
    folders = [_folder(_normal(clip.path)) + "/" for clip in clips]
    folder = os.path.commonprefix(folders)
    return ((folder.rpartition("/")[0], clip) for clip in clips)


def _folder(path):
    """The folder of a file; queries of addresses have slashes, too."""
    return os.path.dirname(files.without_query(path))


def _named(found):
    """Inputs with names of their own, which lead nowhere but below one folder."""
    names, named = OutputNames(), []
    folders = {}
    for folder, source in found:
        folders.setdefault(source, folder)
    for source, folder in folders.items():
        name = names.claim(*_candidates(folder, source), owner=repr(source))
        named.append(Input(name, source))
    return named


def _candidates(folder, source):
    """Names for a source, best first; the second has the suffix of its file."""
    if isinstance(source, Record):
        return [safe_part(_name_of_record(source))]
    if is_stdin(source.path):
        return ["stdin"]
    path = _normal(source.path)
    folder = _normal(folder) if folder else ""
    if path.startswith(folder.rstrip("/") + "/"):
        path = path[len(folder) :]
    stem = path
    if files.is_address(source.path) or not os.path.isdir(source.path):
        stem = os.path.splitext(path)[0]
    span = ""
    if source.start is not None or source.end is not None:
        end = "" if source.end is None else f"{source.end:g}"
        span = f"_{source.start or 0:g}_{end}"
    return [safe_path(stem + span), safe_path(path + span)]


def _name_of_record(record):
    try:
        name = clip_streams.open_clip(record, ClipRecipe()).example_id
    except ValueError:  # Reading it later reports the reason.
        name = ""
    return name or f"{files.stem(record.path)}_{record.offset}"


def _normal(path):
    """A path without queries and without "..", which would lead out of a folder."""
    path = files.without_query(path)
    return path if files.is_address(path) else os.path.normpath(path)
