"""Folders that hold one folder of videos per class, perhaps inside one per split."""

import collections
import os
from collections.abc import Sequence

from absl import logging

from ...arguments import suggest_arguments
from ...utils.text import printable
from ..clips import Clip, Table
from .listed import Listed, make_table
from .splits import split_meaning
from .video_folder import video_files


@suggest_arguments
def read_folder(
    videos: str | os.PathLike, *, class_names: Sequence[str] | None = None
) -> Table:
    """Reads a folder that holds one folder of videos per class.

    If its folders are named like splits (train, training, val, valid, validate,
    validation, dev, test, testing, eval, in any case) and hold folders, the latter are
    the classes.

    Args:
        videos: the folder.
        class_names: names by index; by default those of the folders, sorted.

    Returns:
        The table; without folders for splits, all clips are of the split "train".

    Raises:
        OSError: the folder does not exist.
        ValueError: it has no videos, some are outside the folders for splits, splits
            seem to have other names, or a folder is not in `class_names`.
    """
    root = os.fspath(videos).rstrip("/") + "/"
    paths = [path for path in video_files(root[:-1]) if path != root[:-1]]
    found = [path.removeprefix(root).split("/") for path in paths]
    has_splits = any(split_meaning(p[0]) and len(p) > 2 for p in found)
    if not has_splits:
        _check_classes(videos, found)
    listed, outside = [], []
    for parts in found:
        path = root + "/".join(parts)
        if has_splits:
            if not split_meaning(parts[0]) or len(parts) < 3:
                raise ValueError(
                    f"{path}: is outside the folders for splits in {videos}; expected "
                    f"{root}SPLIT/CLASS/VIDEO"
                )
            split, label = parts[:2]
        elif len(parts) > 1:
            split, label = "train", parts[0]
        else:
            outside.append(path)
            continue
        clip = Clip(path, label, split=split)
        listed.append(Listed(path, path, clip))
    if not listed:
        raise ValueError(
            f"{videos}: has no videos in folders named after their classes; expected "
            f"{root}CLASS/VIDEO, files such as .mp4 or folders of images"
        )
    if outside:
        logging.warning(
            "%s: %d videos are in no folder of a class and are left out, for example "
            "%s",
            root[:-1], len(outside), outside[0],
        )  # fmt: skip
    return make_table(videos, listed, class_names, False)


def _check_classes(videos, found):
    """Refuses folders that are splits under other names, or without classes."""
    inner = collections.defaultdict(set)
    for parts in found:
        if len(parts) > 1:
            inner[parts[0]].add(parts[1] if len(parts) > 2 else "")
    names = [printable(name) for name in sorted(inner)]
    if inner and all(map(split_meaning, inner)):
        raise ValueError(
            f"{videos}: holds videos in {', '.join(names)}, which are splits, without "
            "folders for their classes; expected SPLIT/CLASS/VIDEO"
        )
    (only,) = names if len(names) == 1 else (None,)
    first = next(iter(inner.values()), {""})
    if only and all(map(split_meaning, first)):
        raise ValueError(
            f"{videos}: holds one folder, {only}, with the splits in it; name that "
            "folder"
        )
    is_split = len(first) > 1 or any(map(split_meaning, first))
    if len(inner) > 1 and "" not in first and is_split:
        if all(each == first for each in inner.values()):
            shown = ", ".join(sorted(map(printable, first))[:3])
            raise ValueError(
                f"{videos}: {', '.join(names[:3])} all hold folders of the same names "
                f"({shown}), so which are the classes? Splits are named train, val and "
                "test: expected SPLIT/CLASS/VIDEO. If they are the classes, list the "
                "videos in a CSV (path,label)"
            )
