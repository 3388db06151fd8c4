"""Pictures of results, drawn with matplotlib where that is installed."""

import os
from collections.abc import Sequence

import numpy as np
from absl import logging

from . import storage

# Classes up to which there are numbers in the cells.
_FEW = 20


def draw_confusion(
    counts: np.ndarray, names: Sequence[str], title: str, path: str | os.PathLike
) -> bool:
    """Draws a confusion matrix as PNG, its rows as shares of their clips.

    Classes that are neither true nor predicted anywhere are left out. The names of 400
    classes can be read when the picture is enlarged.

    Args:
        counts: int `(classes, classes)`; rows are true classes, columns predicted.
        names: names by index.
        title: what is written above.
        path: the file.

    Returns:
        Whether it was drawn: without matplotlib there is a notice instead.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        from matplotlib.colors import PowerNorm
        from matplotlib.figure import Figure
    except ImportError:
        logging.warning(
            "%s is not drawn without matplotlib: pip install 'kinetics-i3d-tf2[plot]', "
            "then the same command adds it",
            path,
        )
        return False
    there = counts.any(0) | counts.any(1)
    names = np.asarray(names, object)[there]
    counts = counts[np.ix_(there, there)]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    is_small = len(names) <= _FEW
    # Inches: names in six points need a tenth each, however many they are.
    side, points = (0.5 * len(names), 9) if is_small else (0.1 * len(names), 6)
    # A figure of its own is drawn by Agg, without a screen.
    figure = Figure(figsize=(side + 4, side + 3), dpi=150, layout="constrained")
    axes = figure.add_subplot(xlabel="predicted", ylabel="true", title=title)
    # Among many classes, single clips are to be seen.
    norm = PowerNorm(1.0 if is_small else 0.5, vmin=0, vmax=1)
    image = axes.imshow(shares, cmap="Blues", norm=norm, interpolation="nearest")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=points)
    axes.set_yticks(range(len(names)), names, fontsize=points)
    figure.colorbar(image, label="share of the true class", shrink=min(1, 3 / side))
    for row, column in np.argwhere(counts) if is_small else ():
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(
            column, row, counts[row, column],
            ha="center", va="center", color=color, fontsize=points,
        )  # fmt: skip
    with storage.atomic_writer(path) as temporary:
        # No version of matplotlib: files of equal results are equal.
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return True
