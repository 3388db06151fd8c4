"""Charades: several actions a video, overlapping in time.

Format: `Charades_v1_train.csv`, `Charades_v1_test.csv` and `Charades_v1_classes.txt`,
as the data set distributes them; videos are named `ID.mp4`.
"""

import os
import re

from absl import logging

from ...arguments import suggest_arguments
from ...utils import files
from ..clips import Clip, Table
from ..intervals import Interval, check_interval
from .annotations import csv_rows, file_finder, text_lines
from .listed import Listed, make_table

_CLASSES = "Charades_v1_classes.txt"
_CLASS = re.compile(r"(c\d{3})\s+(\S.*)")
_ACTION = re.compile(r"(c\d{3}) +(\S+) +(\S+)")


@suggest_arguments
def read_charades(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    classes: str | os.PathLike | None = None,
    require_all: bool = False,
) -> Table:
    """Reads one of the two lists of Charades.

    Args:
        annotations: `Charades_v1_train.csv` or `Charades_v1_test.csv`, with the columns
            id, actions (`c092 11.90 21.20;c147 0.00 12.60`) and length. The split is
            the last part of its name.
        videos: folder of the videos, `ID.mp4`, at any depth.
        classes: the list of classes (`c000 Holding some clothes`); by default
            `Charades_v1_classes.txt` next to `annotations`.
        require_all: raise if a video is missing.

    Returns:
        The table, with the actions of each video in `Clip.intervals`. Actions that
        begin after the video ends, by its column length, are counted in a warning and
        label nothing; those that end after it hold to its end.

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed, such as an action that ends before it starts or
            is not in the list of classes; or videos are missing: any of them with
            `require_all`, otherwise all of them.
    """
    if classes is None:
        folder = os.path.dirname(files.without_query(annotations))
        classes = files.join(folder, _CLASSES) if folder else _CLASSES
    names = _read_classes(classes)
    find = file_finder(videos)
    split = files.stem(annotations).rpartition("_")[2]
    listed, late = [], []
    for place, row in csv_rows(annotations, ("id", "actions"), ("length",)):
        intervals = tuple(_actions(place, row["actions"], names, classes))
        length = _length(place, row.get("length"))
        late += [place for i in intervals if i.start > length]
        clip = Clip(find(row["id"]) or "", split=split, intervals=intervals)
        listed.append(Listed(place, row["id"], clip))
    if late:
        logging.warning(
            "%d actions begin after the end of their video and label nothing; the "
            "first is in %s",
            len(late), late[0],
        )  # fmt: skip
    return make_table(annotations, listed, tuple(names.values()), require_all)


def _read_classes(path):
    """Names by code, in order."""
    names = {}
    for place, line in text_lines(path):
        match = _CLASS.fullmatch(line)
        if match is None:
            raise ValueError(
                f"{place}: expected a code and a name, such as 'c000 Holding some "
                f"clothes'. Received: {line!r}"
            )
        code, name = match.groups()
        if code in names or name in names.values():
            raise ValueError(f"{place}: the class is listed twice: {line!r}")
        names[code] = name
    return names


def _actions(place, text, names, classes):
    """The actions of a row."""
    for action in filter(None, map(str.strip, text.split(";"))):
        match = _ACTION.fullmatch(action)
        try:
            code, start, end = match[1], float(match[2]), float(match[3])
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{place}: an action is a code, a start and an end in seconds, such as "
                f"'c092 11.90 21.20'. Received: {action!r}"
            ) from error
        if code not in names:
            raise ValueError(
                f"{place}: the action {code} is not one of the {len(names)} of "
                f"{files.redact(classes)}"
            )
        interval = Interval(names[code], start, end)
        check_interval(interval, place)
        yield interval


def _length(place, text):
    """Seconds of the video; infinite where the column is absent or empty."""
    try:
        return float(text) if text else float("inf")
    except ValueError as error:
        raise ValueError(
            f"{place}: length is a number of seconds. Received: {text!r}"
        ) from error
