"""Class names of Kinetics-400 and Kinetics-600, and the best-scored classes."""

import csv
import functools
from importlib import resources

import numpy as np

_COLUMNS = {400: "kinetics_400", 600: "kinetics_600"}


@functools.cache
def class_names(num_classes: int = 400) -> tuple[str, ...]:
    """Class names in logit order.

    Args:
        num_classes: 400 for Kinetics-400, 600 for Kinetics-600.

    Returns:
        Tuple of `num_classes` names; the index is the logit's.

    Raises:
        ValueError: there is no label map of that size.

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


def top_k(scores, k: int) -> np.ndarray:
    """Indices of the best-scored classes, best first.

    Args:
        scores: float `(num_classes,)`, logits or probabilities. Logits keep the
            order of classes whose probabilities are too small to tell apart.
        k: how many; more than there are classes gives them all.

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
