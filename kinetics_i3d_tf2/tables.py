"""The table of labelled clips that every dataset is read into, and its text files."""

import csv
import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from absl import logging

from . import storage

NO_LABEL = -1
VIDEO_SUFFIXES = (
    *(".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
    *(".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
)
_KINETICS_STEM = re.compile(r"(.{11})_(\d{6})_(\d{6})")


class Clip(NamedTuple):
    """A video file, or a span of one, and its class."""

    path: str
    label: str = ""
    index: int = NO_LABEL
    start: float | None = None  # seconds of the file; None is its beginning
    end: float | None = None  # None is its end
    split: str = "train"

    @property
    def media_id(self) -> str:
        """Name of the video: YouTube's in Kinetics, else the file's without suffix."""
        name = stem(self.path)
        match = _KINETICS_STEM.fullmatch(name)
        return match[1] if match else name

    @property
    def example_id(self) -> str:
        """Name of the clip: its video's and its first second there."""
        match = _KINETICS_STEM.fullmatch(stem(self.path))
        start = int(match[2]) if match else self.start or 0
        return f"{self.media_id}_{start:g}"


@dataclasses.dataclass(frozen=True)
class Table:
    """A dataset: its clips, its classes, and what its lists name in vain.

    Attributes:
        clips: the clips whose files are there.
        class_names: names in the order of the label indices.
        missing: files that the lists name and the folder lacks.
    """

    clips: tuple[Clip, ...]
    class_names: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.clips)

    def splits(self) -> tuple[str, ...]:
        """Names of its splits, in order of appearance."""
        return tuple(dict.fromkeys(clip.split for clip in self.clips))

    def split(self, name: str) -> "Table":
        """The clips of one split, with the classes of all.

        Raises:
            ValueError: no clip is of that split.
        """
        clips = tuple(clip for clip in self.clips if clip.split == name)
        if not clips:
            known = ", ".join(self.splits())
            raise ValueError(
                f"There is no split '{name}' in the dataset, only: {known}"
            )
        return dataclasses.replace(self, clips=clips)

    def with_classes(self, class_names: Sequence[str]) -> "Table":
        """The same clips, with the indices of other class names.

        Raises:
            ValueError: a clip's class is not among them.
        """
        index = {name: number for number, name in enumerate(class_names)}
        unknown = {clip.label for clip in self.clips} - {"", *index}
        if unknown:
            raise ValueError(
                f"{len(unknown)} classes are not among the {len(index)} that there "
                f"are, for example '{min(unknown)}'"
            )
        clips = (c._replace(index=index.get(c.label, NO_LABEL)) for c in self.clips)
        return dataclasses.replace(
            self, clips=tuple(clips), class_names=tuple(class_names)
        )


class Listed(NamedTuple):
    """What a line of a list says."""

    place: str  # file and line, for errors
    name: str  # of the file that is meant
    clip: Clip  # its index is not yet known; its path is "" when the file is missing


def make_table(
    source: str | os.PathLike,
    listed: Sequence[Listed],
    class_names: Sequence[str] | None,
    require_all: bool,
) -> Table:
    """Makes the table of a list.

    Args:
        source: the list's name, for errors.
        listed: its lines.
        class_names: names by index; by default those of the list, in order of name.
            Where no name is equal, one that differs in case is taken.
        require_all: raise when a file is missing.

    Raises:
        ValueError: no line, an unknown class, or missing files: any with `require_all`,
            else all.
    """
    if not listed:
        raise ValueError(f"{source}: lists no clips")
    if class_names is None:
        class_names = sorted({line.clip.label for line in listed} - {""})
    indices = {name.casefold(): index for index, name in enumerate(class_names)}
    indices |= {name: index for index, name in enumerate(class_names)}
    clips, missing = [], []
    for place, name, clip in listed:
        index = indices.get(clip.label, indices.get(clip.label.casefold()))
        if not clip.label:
            index = NO_LABEL
        if index is None:
            raise ValueError(
                f"{place}: '{clip.label}' is not one of the {len(class_names)} classes"
            )
        label = class_names[index] if clip.label else ""
        if clip.path:
            clips.append(clip._replace(index=index, label=label))
        else:
            missing.append(name)
    _report_missing(source, missing, len(listed), require_all)
    return Table(tuple(clips), tuple(class_names), tuple(missing))


def _report_missing(source, missing, total, require_all):
    if not missing:
        return
    shown = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
    message = f"{source}: {len(missing)} of {total} videos are missing: {shown}"
    if require_all or len(missing) == total:
        raise ValueError(message)
    logging.warning("%s", message)


def file_finder(videos: str | os.PathLike) -> Callable[[str], str | None]:
    """Makes a function that finds the file which a list means by a name.

    Args:
        videos: folder with the files, at any depth.

    Returns:
        Function from "Class/video.avi", "video.avi" or "video" to the path, or None;
        suffix and case do not matter.

    Raises:
        OSError: there is no such folder.
    """
    by_name = {}
    for path in video_files(videos):
        folder = path.split("/")[-2:-1] or [""]
        for key in (stem(path), f"{folder[0]}/{stem(path)}"):
            by_name[key] = path
            by_name.setdefault(key.casefold(), path)

    def find(name):
        suffix = os.path.splitext(name)[1].lower()
        full = name[: -len(suffix)] if suffix in VIDEO_SUFFIXES else name
        keys = (full, full.casefold())
        for key in (*keys, *(key.rpartition("/")[2] for key in keys)):
            if key in by_name:
                return by_name[key]
        return None

    return find


def video_files(videos: str | os.PathLike) -> list[str]:
    """Paths of the video files below a folder, in order.

    Raises:
        OSError: there is no such folder.
    """
    if not storage.is_dir(videos):
        raise FileNotFoundError(f"{videos}: there is no such folder of videos")
    files = storage.files_below(videos)
    return [path for path in files if path.lower().endswith(VIDEO_SUFFIXES)]


def csv_rows(
    path: str | os.PathLike, needed: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields the place (file and line) and the values by column name of every row.

    Args:
        path: a CSV whose first line names the columns.
        needed: columns that there must be.

    Raises:
        OSError: there is no such file.
        ValueError: the file or a row is malformed.
    """
    with storage.open_file(path) as file:
        reader = csv.DictReader(file, restkey="", restval=None)
        try:
            columns = [(name or "").strip() for name in reader.fieldnames or ()]
            absent = [name for name in needed if name not in columns]
            if absent:
                raise ValueError(
                    f"{path}, line 1: the first line names the columns; there is no "
                    f"{' and no '.join(absent)}. Received: {','.join(columns)!r}"
                )
            reader.fieldnames = columns
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                if "" in row or None in row.values():
                    raise ValueError(f"{place}: expected {len(columns)} columns")
                yield place, {name: value.strip() for name, value in row.items()}
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: is not a CSV in UTF-8: {error}") from error


def text_lines(path: str | os.PathLike) -> Iterator[tuple[str, str]]:
    """Yields the place (file and line) and the text of every line that is not empty.

    Raises:
        OSError: there is no such file.
        ValueError: it is not UTF-8.
    """
    with storage.open_file(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path}, line {number}", line.strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: is not a text in UTF-8: {error}") from error


def parse_span(
    place: str, start: str | None, end: str | None
) -> tuple[float | None, float | None]:
    """Seconds out of the two columns of a row; empty ones are None.

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


def stem(path: str | os.PathLike) -> str:
    """Name of a file without its folder and suffix."""
    return os.path.splitext(os.fspath(path).rsplit("/", 1)[-1])[0]
