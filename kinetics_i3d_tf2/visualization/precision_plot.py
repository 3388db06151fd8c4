"""The picture of precision and recall."""

import os
from collections.abc import Sequence

import numpy as np

from ..utils.average_precision import precision_recall
from ..utils.text import printable
from . import plots

# Classes up to which all are named.
_FEW = 20


def draw_precision_recall(
    scores: np.ndarray,
    targets: np.ndarray,
    average: np.ndarray,
    names: Sequence[str],
    title: str,
    path: str | os.PathLike,
) -> bool:
    """Draws precision against recall as PNG, a line for each class.

    Among many classes, those of the highest and the lowest average precision are named.

    Args:
        scores: float `(examples, classes)`.
        targets: bool of the same shape, whether a class is present.
        average: average precision, `(classes,)`; classes of NaN are left out.
        names: names by index.
        title: what is written above.
        path: the file.

    Returns:
        Whether it was drawn: without matplotlib there is a notice instead.

    Raises:
        OSError: the file cannot be written.
    """
    if not plots.is_drawn(path):
        return False
    order = [int(i) for i in np.argsort(-average) if np.isfinite(average[i])]
    named = order if len(order) <= _FEW else [*order[:3], *order[-3:]]
    with plots.new_figure(7, 4) as figure:
        axes = figure.add_subplot(xlabel="recall", ylabel="precision", title=title)
        axes.set(xlim=(0, 1.01), ylim=(0, 1.01))
        for index in order:
            curve = precision_recall(scores[:, index], targets[:, index])
            style = {"color": "0.8", "linewidth": 0.6, "zorder": 1}
            if index in named:
                label = f"{printable(names[index])} {average[index]:.1%}"
                style = {"label": label, "zorder": 2}
            axes.plot(*curve, drawstyle="steps-pre", **style)
        if order:
            figure.legend(loc="outside right upper", fontsize=8)
        plots.save_png(figure, path)
    return True
