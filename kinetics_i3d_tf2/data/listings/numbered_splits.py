"""UCF101 and HMDB51, whose lists come as three numbered splits into train and test.

Formats: UCF101's `ucfTrainTestlist`, HMDB51's `testTrainMulti_7030_splits`.
"""

import os

from ...arguments import suggest_arguments
from ...utils import files
from ..clips import Clip, Table
from .annotations import file_finder, text_lines
from .listed import Listed, make_table


@suggest_arguments
def read_ucf101(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    split_number: int = 1,
    require_all: bool = False,
) -> Table:
    """Reads one of the three splits of UCF101.

    Args:
        annotations: folder with `classInd.txt`, `trainlist0N.txt`, `testlist0N.txt`.
        videos: folder of the videos; case does not matter (the class HandstandPushups
            has files named HandStandPushups).
        split_number: 1, 2 or 3.
        require_all: raise if a video is missing.

    Returns:
        The table, with splits train and test.

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed, or videos are missing: any of them with
            `require_all`, otherwise all of them.
    """
    _check_split_number(split_number)
    class_index = {}
    for place, line in text_lines(files.join(annotations, "classInd.txt")):
        number, _, name = line.partition(" ")
        if not number.isdecimal() or not name:
            raise ValueError(f"{place}: expected 'number name'. Received: {line!r}")
        class_index[name] = int(number)
    names = tuple(sorted(class_index, key=class_index.get))
    if sorted(class_index.values()) != list(range(1, len(names) + 1)):
        raise ValueError(f"{place}: classes are not numbered from 1 without a gap")
    find = file_finder(videos)
    listed = []
    for split in ("train", "test"):
        path = files.join(annotations, f"{split}list{split_number:02d}.txt")
        for place, line in text_lines(path):
            name, _, number = line.partition(" ")
            label = name.rpartition("/")[0]
            if label not in class_index or number not in ("", str(class_index[label])):
                raise ValueError(
                    f"{place}: expected 'Class/video.avi' with a class of classInd.txt "
                    f"and, if at all, its number. Received: {line!r}"
                )
            clip = Clip(find(name) or "", label, split=split)
            listed.append(Listed(place, name, clip))
    return make_table(annotations, listed, names, require_all)


@suggest_arguments
def read_hmdb51(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    split_number: int = 1,
    require_all: bool = False,
) -> Table:
    """Reads one of the three splits of HMDB51.

    Args:
        annotations: folder `testTrainMulti_7030_splits`.
        videos: folder of the videos, one folder per class.
        split_number: 1, 2 or 3.
        require_all: raise if a video is missing.

    Returns:
        The table, with splits train and test; classes are in order of name.

    Raises:
        OSError: a file or folder is missing.
        ValueError: a row is malformed, or videos are missing: any of them with
            `require_all`, otherwise all of them.
    """
    _check_split_number(split_number)
    suffix = f"_test_split{split_number}.txt"
    paths = files.matching(files.join(annotations, "*" + suffix))
    if not paths:
        raise FileNotFoundError(f"{annotations}: there is no file *{suffix} in it")
    find = file_finder(videos)
    names, listed = [], []
    for path in paths:
        names.append(path.rsplit("/", 1)[-1].removesuffix(suffix))
        for place, line in text_lines(path):
            name, _, flag = line.rpartition(" ")
            if flag not in ("0", "1", "2") or not name.strip():
                raise ValueError(
                    f"{place}: expected 'video.avi flag' with flag 1 (train), 2 (test) "
                    f"or 0 (unused). Received: {line!r}"
                )
            if flag != "0":
                split = {"1": "train", "2": "test"}[flag]
                name = f"{names[-1]}/{name.strip()}"
                clip = Clip(find(name) or "", names[-1], split=split)
                listed.append(Listed(place, name, clip))
    return make_table(annotations, listed, sorted(names), require_all)


def _check_split_number(number):
    if number not in (1, 2, 3):
        raise ValueError(f"split_number must be 1, 2 or 3. Received: {number!r}")
