"""Mean average precision of videos and of their moments, and the files with it."""

import csv
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..utils import files
from ..utils.average_precision import average_precision, mean_average_precision


class Judged(NamedTuple):
    """Scores and labels of a video.

    Attributes:
        video: float `(num_classes,)`.
        moments: float `(moments, num_classes)`.
        held: bool `(num_classes,)`, labels of the video.
        held_at: bool `(moments, num_classes)`, labels that hold at the moments.
    """

    video: np.ndarray
    moments: np.ndarray
    held: np.ndarray
    held_at: np.ndarray


class PrecisionResults(NamedTuple):
    """Average precision on a dataset of several labels at once.

    Attributes:
        class_names: names by index.
        videos: number of videos that were scored.
        without_labels: how many of them have no label; all classes are absent there.
        unread: number of videos that could not be read, and do not count.
        damaged: number of videos that were scored and have damaged frames.
        positives: by "video" and "moment": int `(num_classes,)`, how often each class
            is present.
        precision: by the same: average precision of each class, float64
            `(num_classes,)` in [0, 1]; NaN of classes that are nowhere present.
        means: by the same: its mean over the classes that are present somewhere; NaN if
            none is.
        scores: scores of all moments, `(videos * moments, num_classes)`.
        held: whether each class holds there, bool of the same shape.
    """

    class_names: tuple[str, ...]
    videos: int
    without_labels: int
    unread: int
    damaged: int
    positives: dict[str, np.ndarray]
    precision: dict[str, np.ndarray]
    means: dict[str, float]
    scores: np.ndarray
    held: np.ndarray


def conclude(
    judged: Sequence[Judged],
    class_names: Sequence[str],
    *,
    unread: int = 0,
    damaged: int = 0,
) -> PrecisionResults:
    """Computes average precision.

    Args:
        judged: the videos that were scored, at least one.
        class_names: names by index.
        unread: number of videos that could not be read.
        damaged: number of videos with damaged frames.

    Returns:
        The results.
    """
    held = np.stack([video.held for video in judged])
    scores = {
        "video": np.stack([video.video for video in judged]),
        "moment": np.concatenate([video.moments for video in judged]),
    }
    present = {
        "video": held,
        "moment": np.concatenate([video.held_at for video in judged]),
    }
    precision = {of: average_precision(scores[of], present[of]) for of in scores}
    return PrecisionResults(
        class_names=tuple(class_names),
        videos=len(judged),
        without_labels=int((~held.any(1)).sum()),
        unread=unread,
        damaged=damaged,
        positives={of: found.sum(0) for of, found in present.items()},
        precision=precision,
        means={of: mean_average_precision(found) for of, found in precision.items()},
        scores=scores["moment"],
        held=present["moment"],
    )


def table(results: PrecisionResults) -> str:
    """The means as text, in percent."""
    lines = [f"{'':20}{'mAP':>8}{'classes':>10}{'scored':>10}"]
    counts = {"video": results.videos, "moment": len(results.held)}
    for of, title in (("video", "videos"), ("moment", "moments of videos")):
        classes = int(np.isfinite(results.precision[of]).sum())
        mean = 100 * results.means[of]
        lines.append(f"{title:20}{mean:8.2f}{classes:10}{counts[of]:10}")
    return "\n".join(lines)


def write_json(
    results: PrecisionResults, path: str | os.PathLike, settings: dict
) -> None:
    """Writes the figures, with the settings they follow from.

    Raises:
        OSError: the file cannot be written.
    """
    content = {
        "settings": settings,
        "videos": results.videos,
        "without_labels": results.without_labels,
        "unread": results.unread,
        "damaged": results.damaged,
        "figures": {
            f"{of}_map": mean for of, mean in results.means.items() if mean == mean
        },
        "per_class": {
            name: {
                f"{of}_average_precision": float(results.precision[of][index])
                for of in results.precision
                if results.positives[of][index]
            }
            for index, name in enumerate(results.class_names)
            if results.positives["video"][index]
        },
    }
    files.write_json(path, content)


def write_per_class(results: PrecisionResults, path: str | os.PathLike) -> None:
    """Writes the average precision of each class as CSV; empty where it is absent.

    Raises:
        OSError: the file cannot be written.
    """
    header = ["class"]
    for of in results.precision:
        header += [f"{of}s", f"{of}_average_precision"]
    lines = [header]
    for index, name in enumerate(results.class_names):
        line = [name]
        for of, precision in results.precision.items():
            count, value = results.positives[of][index], precision[index]
            line += [count, "" if np.isnan(value) else f"{value:.6g}"]
        lines.append(line)
    with (
        files.atomic_writer(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(lines)
