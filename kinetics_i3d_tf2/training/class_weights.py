"""Weights of classes in the loss, for datasets in which some classes are rare."""

import math
import os
from collections.abc import Sequence

import numpy as np

from ..arguments import suggest_arguments
from ..data.clips import Clip
from ..data.listings.annotations import csv_rows
from ..data.listings.listed import Classes
from ..data.records.tfrecord import Record

BALANCED = "balanced"


def check(weights: str | Sequence[float] | None, num_classes: int) -> None:
    """Checks the weights of `TrainingOptions`.

    Raises:
        ValueError: they are neither "balanced" nor a positive number for each class.
    """
    if weights is None or weights == BALANCED:
        return
    is_list = not isinstance(weights, str) and len(weights) == num_classes
    if not is_list or not all(0 < weight < math.inf for weight in weights):
        raise ValueError(
            f'class_weights must be "{BALANCED}", or a number above 0 for each of the '
            f"{num_classes} classes. Received: {weights!r:.80}"
        )


def as_json(weights: str | Sequence[float] | None) -> str | list[float] | None:
    """The weights of `TrainingOptions` as JSON's types."""
    if weights is None or isinstance(weights, str):
        return weights
    return [*map(float, weights)]


def resolve(weights, recipe, data) -> tuple[float, ...] | None:
    """The numbers that the weights of `TrainingOptions` stand for.

    Args:
        weights: as of `check`.
        recipe: the recipe; its loss tells what is balanced.
        data: the clips.

    Raises:
        ValueError: records are to be balanced, whose labels are inside of them.
    """
    if weights != BALANCED:
        return weights and tuple(weights)
    num_classes = len(data.class_names)
    return balanced(data.training, num_classes, is_softmax=recipe.loss == "softmax")


def balanced(
    clips: Sequence[Clip | Record], num_classes: int, *, is_softmax: bool
) -> tuple[float, ...]:
    """Weights that give all classes the same share in the loss.

    Args:
        clips: the clips to train on.
        num_classes: number of classes.
        is_softmax: clips have one label: a class weighs `clips / (classes * clips of
            it)`, as scikit-learn's "balanced". Else it weighs `clips without it / clips
            with it`, as PyTorch advises for `pos_weight`.

    Returns:
        A weight for each class; 1 for classes without clips.

    Raises:
        ValueError: there are records, whose labels are inside of them.
    """
    if any(isinstance(clip, Record) for clip in clips):
        raise ValueError(
            "class_weights=balanced counts the labels of clips, and those of records "
            "are inside of them; train on videos, or pass a weight for each class"
        )
    of_clips = [{interval.index for interval in clip.all_labels} for clip in clips]
    counts = np.bincount(
        [index for found in of_clips for index in found], minlength=num_classes
    )
    there = np.maximum(counts, 1)
    if is_softmax:
        weights = len(of_clips) / (num_classes * there)
    else:
        weights = np.maximum(len(of_clips) - counts, 1) / there
    return tuple(np.where(counts > 0, weights, 1.0).tolist())


@suggest_arguments
def read_class_weights(
    path: str | os.PathLike, class_names: Sequence[str]
) -> tuple[float, ...]:
    """Reads a CSV with the columns class and weight.

    Args:
        path: the CSV, with a row for each class, in any order.
        class_names: names by index.

    Returns:
        A weight for each class.

    Raises:
        OSError: the file does not exist.
        ValueError: a class is unknown, missing or listed twice, or a weight is not a
            number above 0; the error has the line.
    """
    classes, weights = Classes(class_names), {}
    for place, row in csv_rows(path, ("class", "weight")):
        name = classes.find(row["class"], place)
        if name in weights:
            raise ValueError(f"{place}: the class '{name}' is listed twice")
        weights[name] = _weight(place, row["weight"])
    missing = [name for name in class_names if name not in weights]
    if missing:
        raise ValueError(
            f"{path}: has no weight of {len(missing)} classes, for example "
            f"'{missing[0]}'"
        )
    return tuple(weights[name] for name in class_names)


def _weight(place, text):
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise ValueError(f"{place}: a weight is a number above 0. Received: {text!r}")
    return weight
