"""Class names of Kinetics-400 and Kinetics-600, label maps, and top-k classes."""

import csv
import functools
import os
import re
from collections.abc import Sequence
from importlib import resources

import numpy as np

from ..arguments import suggest_arguments
from ..utils import files
from ..utils.text import printable, read_text

# File with the class names of the records or the checkpoint in the same folder.
LABEL_MAP = "label_map.txt"

_COLUMNS = {400: "kinetics_400", 600: "kinetics_600"}


@suggest_arguments
@functools.cache
def class_names(num_classes: int = 400) -> tuple[str, ...]:
    """Class names in logit order.

    Args:
        num_classes: 400 for Kinetics-400, 600 for Kinetics-600.

    Returns:
        Tuple of `num_classes` names; the index is the logit's.

    Raises:
        ValueError: no label map has that size.

    Source: `data/label_map.txt` and `data/label_map_600.txt` of the release.
    """
    if num_classes not in _COLUMNS:
        raise ValueError(
            "There are label maps of 400 (Kinetics-400) and 600 classes (Kinetics-600)."
            f" Received: num_classes={num_classes!r}"
        )
    names = {}
    table = resources.files(__package__).joinpath("labels.csv")
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row[_COLUMNS[num_classes]]:
                names[int(row[_COLUMNS[num_classes]])] = row["name"]
    return tuple(names[index] for index in range(num_classes))


@suggest_arguments
def read_label_map(path: str | os.PathLike) -> tuple[str, ...]:
    """Reads a label map: a text file with a class name on each line, in index order.

    Args:
        path: the file in UTF-8, local or an address.

    Returns:
        Class names by index.

    Raises:
        OSError: the file does not exist.
        ValueError: it is empty or not UTF-8, or a name is empty or appears twice; the
            error has the line.
    """
    lines = re.split(r"\r\n|\n|\r", read_text(path))
    path = files.redact(path)
    if lines[-1] == "":
        lines.pop()
    rule = "a label map has one class name per line, each once"
    if not lines:
        raise ValueError(f"{path}: {rule}; the file is empty")
    first = {}
    for number, name in enumerate(lines, 1):
        if problem := _problem(name):
            raise ValueError(f"{path}, line {number}: {rule}; {problem}")
        if name in first:
            raise ValueError(
                f"{path}, line {number}: {rule}; '{printable(name)}' is on line "
                f"{first[name]} too"
            )
        first[name] = number
    return tuple(lines)


def write_label_map(path: str | os.PathLike, names: Sequence[str]) -> None:
    """Writes a label map that `read_label_map` reads.

    Raises:
        OSError: the file cannot be written.
        ValueError: a name cannot be a line of it, or appears twice.
    """
    for name in names:
        check_label(name, path)
    if len(set(names)) < len(names):
        raise ValueError(f"{path}: class names must differ. Received: {names!r:.200}")
    with files.atomic_writer(path) as temporary:
        content = "".join(f"{name}\n" for name in names)
        temporary.write_text(content, encoding="utf-8")


def check_label(name: str, place: str | os.PathLike) -> None:
    """Checks that a class name can be a line of a label map.

    Args:
        name: the class name.
        place: where it comes from, for the error.

    Raises:
        ValueError: it is empty, has a line break, or is not UTF-8.
    """
    if problem := _problem(name):
        raise ValueError(f"{place}: class '{printable(name)}': {problem}")


def _problem(name):
    """Why a class name cannot be a line, or ""."""
    if not name.strip():
        return "the line is blank"
    if len(name.splitlines()) > 1 or name.splitlines()[0] != name or "\0" in name:
        return "the name has a line break or a zero byte"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not UTF-8; rename it"
    return ""


@suggest_arguments
def top_k(scores, k: int) -> np.ndarray:
    """Indices of the classes with the highest scores, best first.

    Args:
        scores: float `(num_classes,)`, logits or probabilities. Logits keep the
            order of classes whose probabilities are too small to tell apart.
        k: number of classes; all of them if k is larger.

    Returns:
        int64 `(min(k, num_classes),)`; equal scores stay in class order.

    Raises:
        ValueError: `scores` is not one row, or k is less than 1.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or k < 1:
        raise ValueError(
            "top_k takes the scores of one clip, of shape (num_classes,), and k of at "
            f"least 1. Received: shape {scores.shape}, k={k}"
        )
    return np.argsort(-scores, kind="stable")[:k]
