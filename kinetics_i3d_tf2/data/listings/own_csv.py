"""CSVs of your own: a clip a row, or the labels of videos with their times."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from absl import logging

from ...arguments import suggest_arguments
from ...utils import files
from ..clips import Clip, Table
from ..intervals import Interval, check_interval
from .annotations import csv_rows, parse_span
from .listed import Classes, Listed, make_table

_TIMES = ("start", "end")
_OPTIONAL = ("label", "labels", *_TIMES, "split")
# Between the labels of a row, and between their times.
_SEPARATOR = "|"


@suggest_arguments
def read_csv(
    annotations: str | os.PathLike,
    videos: str | os.PathLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    require_all: bool = False,
) -> Table:
    """Reads a CSV with the column path and, optionally, label, start, end and split.

    A row is a clip, which is cut out of its video; `read_intervals` reads rows that are
    labels of whole videos.

    Args:
        annotations: the CSV; its first line names the columns, in any order.
        videos: folder that paths are relative to; by default the CSV's own.
        class_names: names by index; by default those of the file, sorted.
        require_all: raise if a video is missing. Addresses (s3://...) are not
            looked up before they are read.

    Returns:
        The table; start and end are seconds of the file, split is "train" by default.

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed, or videos are missing: any of them with
            `require_all`, otherwise all of them.
    """
    listed = []
    for place, row in csv_rows(annotations, ("path",), _OPTIONAL):
        if "labels" in row:
            raise ValueError(
                f"{place}: a column 'labels' has several labels of a video, which "
                "read_intervals (--dataset=intervals) reads; here a row is a clip with "
                "one label, in the column 'label'"
            )
        path, found = _find_video(annotations, videos, place, row["path"])
        span = parse_span(place, row.get("start"), row.get("end"))
        split = row.get("split") or "train"
        clip = Clip(found, row.get("label", ""), 0, *span, split)
        listed.append(Listed(place, path, clip))
    return make_table(annotations, listed, class_names, require_all)


@suggest_arguments
def read_intervals(
    annotations: str | os.PathLike,
    videos: str | os.PathLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    require_all: bool = False,
) -> Table:
    """Reads a CSV of videos with several labels, each with its time or without.

    Its columns are path (or video), label or labels and, optionally, start, end and
    split. A video has as many rows as it takes; in the column labels, `|` separates the
    labels of a row, and their seconds in start and end. A label without seconds holds
    in the whole video; an empty label lists a video without labels. Labels may overlap;
    where two intervals of one label do, it holds once.

    Args:
        annotations: the CSV; its first line names the columns, in any order.
        videos: folder that paths are relative to; by default the CSV's own.
        class_names: names by index; by default those of the file, sorted.
        require_all: raise if a video is missing. Addresses (s3://...) are not
            looked up before they are read.

    Returns:
        The table, with a clip for each video, in order of appearance, and its labels in
        `Clip.intervals`. An end beyond that of the video is that of the video.

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed: a label that ends before it starts, a negative
            time, an unknown label; or videos are missing: any of them with
            `require_all`, otherwise all of them.

    Examples:
        >>> read_intervals("labels.csv").clips[0].intervals[0]
        Interval(label='open door', start=1.5, end=4.0, index=2)
    """
    rows = list(_interval_rows(annotations, videos))
    if class_names is None:
        class_names = sorted({i.label for row in rows for i in row.intervals})
    _warn_of_separators(annotations, class_names)
    classes = Classes(class_names)
    by_path: dict[str, Listed] = {}
    for place, path, found, split, intervals in rows:
        intervals = tuple(
            i._replace(label=classes.find(i.label, place)) for i in intervals
        )
        clip = Clip(found, split=split)
        first = by_path.setdefault(path, Listed(place, path, clip))
        if first.clip.split != split:
            raise ValueError(
                f"{place}: {path} is of the split '{split}', and of "
                f"'{first.clip.split}' in {first.place}; a video has one split"
            )
        clip = first.clip._replace(intervals=first.clip.intervals + intervals)
        by_path[path] = first._replace(clip=clip)
    return make_table(annotations, list(by_path.values()), class_names, require_all)


class _Row(NamedTuple):
    place: str  # file and line
    path: str
    found: str  # the path, or "" if the file is missing
    split: str
    intervals: list[Interval]


def _interval_rows(annotations, videos) -> Iterator[_Row]:
    for place, row in csv_rows(annotations, (), ("path", "video", *_OPTIONAL)):
        if not {"path", "video"} & row.keys() or not {"label", "labels"} & row.keys():
            raise ValueError(
                f"{files.redact(annotations)}, line 1: expected the columns path and "
                f"label, or labels. Received: {','.join(row)!r}"
            )
        video = row.get("path") or row.get("video", "")
        path, found = _find_video(annotations, videos, place, video)
        intervals = _intervals(place, row)
        yield _Row(place, path, found, row.get("split") or "train", intervals)


def _warn_of_separators(annotations, class_names):
    """Logs names that look like several, of a column that has one label a row."""
    joined = [name for name in class_names if _SEPARATOR in name]
    if joined:
        logging.warning(
            "%s: the class '%s' has a '%s', which separates labels in a column named "
            "labels, not label",
            files.redact(annotations), joined[0], _SEPARATOR,
        )  # fmt: skip


def _intervals(place, row):
    """The labels of a row."""
    if "labels" not in row:
        cells = [row.get(name, "") for name in ("label", *_TIMES)]
        columns = [[cell] for cell in cells]
    else:
        columns = [row.get(name, "").split(_SEPARATOR) for name in ("labels", *_TIMES)]
        count = len(columns[0])
        columns = [[""] * count if column == [""] else column for column in columns]
        if any(len(column) != count for column in columns):
            raise ValueError(
                f"{place}: start and end need a number for each of the {count} labels, "
                f"separated by '{_SEPARATOR}', or nothing. Received: "
                f"{row.get('start', '')!r}, {row.get('end', '')!r}"
            )
    found = []
    for label, *times in zip(*columns, strict=True):
        interval = Interval(label.strip(), *_seconds(place, times))
        if interval.label:
            check_interval(interval, place)
            found.append(interval)
        elif len(columns[0]) > 1 or any(times):
            raise ValueError(f"{place}: a label is empty. Received: {row}")
    return found


def _seconds(place, times):
    try:
        return [float(time) if time.strip() else None for time in times]
    except ValueError as error:
        raise ValueError(
            f"{place}: start and end are numbers of seconds. Received: {times[0]!r}, "
            f"{times[1]!r}"
        ) from error


def _find_video(annotations, videos, place, path):
    """The path that a row means, and the same, or "" if the file is missing."""
    if not path:
        raise ValueError(f"{place}: the path is empty")
    if videos is None:
        videos = os.path.dirname(files.without_query(annotations)) or "."
    if not files.is_address(path) and not os.path.isabs(path):
        path = files.join(videos, path)
    there = files.is_address(path) or os.path.exists(path)
    return path, path if there else ""
