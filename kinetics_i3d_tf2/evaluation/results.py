"""The files that an evaluation ends with: figures, tables and the confusion matrix."""

import csv
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..utils import files
from . import metrics


class Results(NamedTuple):
    """What the rows of `predictions` amount to.

    Attributes:
        scored: what was scored, the one that counts last.
        class_names: names by index.
        clips: number of clips that were scored and have a label.
        unlabelled: number of clips that were scored and have none.
        unread: number of clips that could not be read.
        damaged: number of clips that were scored and have damaged or missing frames.
        figures: by what was scored: "top_1", "top_5" and "mean_per_class", 0 to 1.
        per_class: by what was scored: top-1 and top-5 accuracy of each class, float64
            `(2, num_classes)`, NaN for classes without clips.
        confusion: int `(num_classes, num_classes)` of the one that counts: rows are
            true classes, columns predicted.
    """

    scored: tuple[str, ...]
    class_names: tuple[str, ...]
    clips: int
    unlabelled: int
    unread: int
    damaged: int
    figures: dict[str, dict[str, float]]
    per_class: dict[str, np.ndarray]
    confusion: np.ndarray


def conclude(
    rows: Sequence[dict[str, str]], scored: Sequence[str], class_names: Sequence[str]
) -> Results:
    """Counts rows of `predictions`.

    Args:
        rows: one a clip.
        scored: what was scored, the one that counts last.
        class_names: names by index.

    Returns:
        The results.
    """
    done = [row for row in rows if not row["error"]]
    labelled = [row for row in done if row["label"]]
    index = {name: number for number, name in enumerate(class_names)}
    size = len(class_names)
    true = [index[row["label"]] for row in labelled]
    predicted = [index[row[f"{scored[-1]}_class"]] for row in labelled]
    figures, per_class = {}, {}
    for name in scored:
        ranks = [int(row[f"{name}_rank"]) for row in labelled]
        accuracy = [metrics.per_class_accuracy(true, ranks, size, k) for k in (1, 5)]
        per_class[name] = np.stack(accuracy)
        there = accuracy[0][~np.isnan(accuracy[0])]
        figures[name] = {
            "top_1": metrics.top_k_accuracy(ranks, 1),
            "top_5": metrics.top_k_accuracy(ranks, 5),
            "mean_per_class": float(there.mean()) if len(there) else float("nan"),
        }
    return Results(
        tuple(scored),
        tuple(class_names),
        len(labelled),
        len(done) - len(labelled),
        len(rows) - len(done),
        sum(bool(row.get("damage")) for row in done),
        figures,
        per_class,
        metrics.confusion_matrix(true, predicted, size),
    )


def table(results: Results) -> str:
    """The figures as text, a line for each of what was scored."""
    lines = [f"{'':8}{'top-1':>8}{'top-5':>8}{'mean of classes':>18}"]
    for name, figures in results.figures.items():
        one, five, mean = (f"{100 * value:.2f}" for value in figures.values())
        lines.append(f"{name:8}{one:>8}{five:>8}{mean:>18}")
    return "\n".join(lines)


def write_json(results: Results, path: str | os.PathLike, settings: dict) -> None:
    """Writes figures and per-class accuracy, with the settings they follow from.

    Raises:
        OSError: the file cannot be written.
    """
    clips = results.confusion.sum(1)
    content = {
        "settings": settings,
        "clips": results.clips,
        "unlabelled": results.unlabelled,
        "unread": results.unread,
        "damaged": results.damaged,
        "figures": results.figures if results.clips else {},
        "per_class": {
            name: {
                "clips": int(clips[index]),
                **{s: float(results.per_class[s][0, index]) for s in results.scored},
            }
            for index, name in enumerate(results.class_names)
            if clips[index]
        },
    }
    files.write_json(path, content)


def write_per_class(results: Results, path: str | os.PathLike) -> None:
    """Writes the accuracies of each class as CSV; empty for classes without clips.

    Raises:
        OSError: the file cannot be written.
    """
    header = [f"{name}_top_{k}" for name in results.scored for k in (1, 5)]
    accuracies = np.concatenate([results.per_class[s] for s in results.scored])
    clips = results.confusion.sum(1)
    lines = [
        [
            name,
            clips[index],
            *("" if np.isnan(a) else f"{a:.6g}" for a in accuracies[:, index]),
        ]
        for index, name in enumerate(results.class_names)
    ]
    _write_csv(path, [["class", "clips", *header], *lines])


def write_confusion(results: Results, path: str | os.PathLike) -> None:
    """Writes the confusion matrix as CSV: a row for each true class.

    Raises:
        OSError: the file cannot be written.
    """
    lines = [
        [name, *counts]
        for name, counts in zip(results.class_names, results.confusion, strict=True)
    ]
    _write_csv(path, [["true \\ predicted", *results.class_names], *lines])


def _write_csv(path, lines):
    with (
        files.atomic_writer(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(lines)
