"""Readers of datasets: Kinetics, UCF101, HMDB51, Charades, one folder per class, CSVs.

Each returns the same `Table`. Kinetics is read as CVDF distributes it.
"""

import os
from collections.abc import Sequence

from ..arguments import suggest_arguments
from ..utils import files
from . import labels
from .clips import Clip, Table
from .listings.annotations import csv_rows, file_finder, parse_span
from .listings.charades import read_charades
from .listings.class_folders import read_folder
from .listings.listed import Listed, make_table
from .listings.numbered_splits import read_hmdb51, read_ucf101
from .listings.own_csv import read_csv, read_intervals

_KINETICS = {"kinetics400": 400, "kinetics600": 600, "kinetics700": 700}
KINDS = (*_KINETICS, "ucf101", "hmdb51", "charades", "folder", "csv", "intervals")
_OWN_CSVS = {"csv": read_csv, "intervals": read_intervals}


def read(
    kind: str,
    videos: str | os.PathLike | None,
    annotations: str | os.PathLike | None = None,
    *,
    split_number: int = 1,
    class_names: Sequence[str] | None = None,
    require_all: bool = False,
) -> Table:
    """Reads a dataset of any kind.

    Args:
        kind: one of `KINDS`.
        videos: folder of the videos; optional for a CSV of your own.
        annotations: a CSV, or the folder with UCF101's or HMDB51's lists.
        split_number: split of UCF101 or HMDB51.
        class_names: names by index, for lists that may lack a class; UCF101, HMDB51 and
            Charades have theirs.
        require_all: raise if a video is missing.

    Returns:
        The table of that kind's reader.

    Raises:
        OSError: a file or folder is missing.
        ValueError: the kind is unknown, an argument that it needs is missing, a row is
            malformed, or videos are missing.
    """
    if kind not in KINDS:
        raise ValueError(f"Unknown dataset '{kind}'; known: {', '.join(KINDS)}")
    if kind != "folder" and annotations is None:
        raise ValueError(
            f"A dataset of kind {kind} needs its annotations (--annotations)"
        )
    if kind not in _OWN_CSVS and videos is None:
        raise ValueError(f"A dataset of kind {kind} needs its folder (--videos)")
    if kind == "folder":
        return read_folder(videos, class_names=class_names)
    options = {"require_all": require_all}
    if kind in _OWN_CSVS:
        reader = _OWN_CSVS[kind]
        return reader(annotations, videos, class_names=class_names, **options)
    if kind == "charades":
        return read_charades(annotations, videos, **options)
    if kind in _KINETICS:
        return read_kinetics(
            annotations,
            videos,
            num_classes=_KINETICS[kind],
            class_names=class_names,
            **options,
        )
    reader = {"ucf101": read_ucf101, "hmdb51": read_hmdb51}[kind]
    return reader(annotations, videos, split_number=split_number, **options)


@suggest_arguments
def read_kinetics(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    num_classes: int = 400,
    class_names: Sequence[str] | None = None,
    require_all: bool = False,
) -> Table:
    """Reads a CSV of Kinetics-400, 600 or 700 as CVDF distributes it.

    Columns are found by name: label, youtube_id, time_start, time_end, split. Videos
    are `{youtube_id}_{time_start:06d}_{time_end:06d}` with any video suffix, anywhere
    below `videos`; from an untrimmed `{youtube_id}` the span is read.

    Args:
        annotations: the CSV.
        videos: folder of the videos.
        num_classes: 400 and 600 use the indices of the released label maps; 700, which
            has none, those of the sorted names.
        class_names: names by index, overriding `num_classes`.
        require_all: raise if a video is missing.

    Returns:
        The table; clips of a file without labels have index -1 and label "".

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed or has an unknown class, or videos are missing:
            any of them with `require_all`, otherwise all of them.
    """
    if class_names is None and num_classes in (400, 600):
        class_names = labels.class_names(num_classes)
    find = file_finder(videos)
    listed = []
    for place, row in csv_rows(annotations, ("youtube_id", "time_start", "time_end")):
        start, end = parse_span(place, row["time_start"], row["time_end"])
        video = row["youtube_id"]
        stem = f"{video}_{int(start or 0):06d}_{int(end or 0):06d}"
        split = row.get("split") or files.stem(annotations)
        path, span = find(stem), (None, None)
        if path is None and find(video):
            path, span = find(video), (start, end)
        clip = Clip(path or "", row.get("label", "").strip("\"' "), 0, *span, split)
        listed.append(Listed(place, stem, clip))
    return make_table(annotations, listed, class_names, require_all)
