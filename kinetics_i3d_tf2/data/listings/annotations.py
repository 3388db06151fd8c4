"""Annotation files of datasets, and the videos that they list."""

import csv
import difflib
import io
import os
from collections.abc import Callable, Iterator, Sequence

from ...utils import files
from ...utils.text import read_text
from .video_folder import VIDEO_SUFFIXES, video_files


def file_finder(videos: str | os.PathLike) -> Callable[[str], str | None]:
    """Makes a function that finds the video file listed under a name.

    Args:
        videos: folder with the files, at any depth.

    Returns:
        Function from "Class/video.avi", "video.avi" or "video" to the path, or None;
        suffix and case do not matter. "Class/video.avi" is found in a folder Class or
        in the top folder, where all videos may lie together, and in no other.

    Raises:
        OSError: the folder does not exist.
    """
    by_name = {}
    top = os.fspath(videos).rstrip("/")
    for path in video_files(videos):
        folder, _, _ = path.rpartition("/")
        name = path.rpartition("/")[2]
        if name.lower().endswith(VIDEO_SUFFIXES):  # Else a folder of frames.
            name = files.stem(name)
        keys = [name, f"{folder.rpartition('/')[2]}/{name}"]
        if folder.rstrip("/") == top:
            keys.append(f"/{name}")
        for key in keys:
            by_name[key] = path
            by_name.setdefault(key.casefold(), path)

    def find(name):
        suffix = os.path.splitext(name)[1].lower()
        full = name[: -len(suffix)] if suffix in VIDEO_SUFFIXES else name
        keys = [full, full.casefold()]
        if "/" in full:
            keys += [f"/{key.rpartition('/')[2]}" for key in keys]
        return next((by_name[key] for key in keys if key in by_name), None)

    return find


def csv_rows(
    path: str | os.PathLike, needed: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """Reads the rows of a CSV.

    Args:
        path: a CSV whose first line names the columns.
        needed: required columns.
        optional: optional columns; an unknown column with a similar name is an error.

    Yields:
        The place of a row (file and line) and its values by column name.

    Raises:
        OSError: the file does not exist.
        ValueError: the file or a row is malformed.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    path = files.redact(path)
    try:
        columns = _columns(path, reader, needed, optional)
        for row in reader:
            place = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise ValueError(f"{place}: expected {len(columns)} columns")
            row.pop("", None)  # Row numbers, as pandas writes them.
            yield place, {name: value.strip() for name, value in row.items()}
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {reader.line_num}: is not a CSV: {error}"
        ) from error


def _columns(path, reader, needed, optional):
    """Names of the columns, which `reader` gets too."""
    columns = [(name or "").strip() for name in reader.fieldnames or ()]
    absent = [name for name in needed if name not in columns]
    if absent:
        raise ValueError(
            f"{path}, line 1: the first line names the columns; there is no "
            f"{' and no '.join(absent)}. Received: {','.join(columns)!r}"
        )
    for name in set(columns) - {*needed, *optional}:
        absent = set(optional) - set(columns)
        for meant in difflib.get_close_matches(name.lower(), absent, 1):
            raise ValueError(
                f"{path}, line 1: there is a column '{name}'; is '{meant}' meant?"
            )
    reader.fieldnames = columns
    return columns


def text_lines(path: str | os.PathLike) -> Iterator[tuple[str, str]]:
    """Reads the lines of a text file that are not empty.

    Yields:
        The place of a line (file and line) and its text.

    Raises:
        OSError: the file does not exist.
        ValueError: it is not UTF-8.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield f"{files.redact(path)}, line {number}", line.strip()


def parse_span(
    place: str, start: str | None, end: str | None
) -> tuple[float | None, float | None]:
    """Parses the two columns of a row that hold seconds.

    Args:
        place: file and line, for errors.
        start: first second; empty or None is the beginning.
        end: last second; empty or None is the end.

    Returns:
        Both as numbers or None.

    Raises:
        ValueError: they are not numbers, or not a span.
    """
    try:
        start, end = (float(value) if value else None for value in (start, end))
    except ValueError as error:
        raise ValueError(
            f"{place}: start and end are numbers of seconds. Received: {start!r}, "
            f"{end!r}"
        ) from error
    if not 0 <= (start or 0.0) < (float("inf") if end is None else end):
        raise ValueError(
            f"{place}: a clip needs 0 <= start < end. Received: {start}, {end}"
        )
    return start, end
