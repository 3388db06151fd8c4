"""Class names of Kinetics-400 and Kinetics-600, label maps, and top-k classes."""

import csv
import functools
import os
from collections.abc import Sequence
from importlib import resources

import numpy as np

from ..utils import files

# File with the class names of the records or the checkpoint in the same folder.
LABEL_MAP = "label_map.txt"

_COLUMNS = {400: "kinetics_400", 600: "kinetics_600"}


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


def read_label_map(path: str | os.PathLike) -> tuple[str, ...]:
    """Reads a label map: a text file with a class name on each line, in index order.

    Args:
        path: the file, local or an address.

    Returns:
        Class names by index.

    Raises:
        OSError: the file does not exist.
        ValueError: it is empty, or a name is empty or appears twice.
    """
    with files.open_file(path) as file:
        names = tuple(line.rstrip("\r\n") for line in file)
    if not names or "" in names or len(set(names)) < len(names):
        raise ValueError(
            f"{files.redact(path)}: a label map has one class name per line, each once"
        )
    return names


def write_label_map(path: str | os.PathLike, names: Sequence[str]) -> None:
    """Writes a label map that `read_label_map` reads.

    Raises:
        OSError: the file cannot be written.
    """
    with files.atomic_writer(path) as temporary:
        content = "".join(f"{name}\n" for name in names)
        temporary.write_text(content, encoding="utf-8")


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
