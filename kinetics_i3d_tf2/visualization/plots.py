"""Charts of results, drawn with matplotlib where that is installed, in one style."""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence

import numpy as np
from absl import logging

from ..utils import files
from ..utils.text import printable

INSTALL = "pip install 'kinetics-i3d-tf2[plot]'"

# Classes up to which there are numbers in the cells.
_FEW = 20
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.4",
    "axes.grid": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # A class name may have dollars in it.
    "svg.fonttype": "none",  # Letters stay letters.
    "svg.hashsalt": "kinetics_i3d_tf2",  # Equal charts are equal files.
}


def is_installed() -> bool:
    """Whether matplotlib and Jinja2 are there: the extra `plot`."""
    try:
        import jinja2  # noqa: F401
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


@contextlib.contextmanager
def new_figure(width: float, height: float) -> Iterator:
    """Gives a figure of the package's style, in which it is drawn and saved.

    Args:
        width: in inches.
        height: in inches.

    Yields:
        A matplotlib `Figure` of its own, which is drawn without a screen.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        yield Figure(figsize=(width, height), dpi=150, layout="constrained")


def save_png(figure, path: str | os.PathLike) -> None:
    """Writes a figure, whole; files of equal figures are equal.

    Raises:
        OSError: the file cannot be written.
    """
    with files.atomic_writer(path) as temporary:
        # No version of matplotlib in it.
        figure.savefig(temporary, format="png", metadata={"Software": None})


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
    if not is_drawn(path):
        return False
    from matplotlib.colors import PowerNorm

    there = counts.any(0) | counts.any(1)
    names = np.asarray([*map(printable, names)], object)[there]
    counts = counts[np.ix_(there, there)]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    is_small = len(names) <= _FEW
    # Inches: names in six points need a tenth each, however many they are.
    side, points = (0.5 * len(names), 9) if is_small else (0.1 * len(names), 6)
    with new_figure(side + 4, side + 3) as figure:
        axes = figure.add_subplot(xlabel="predicted", ylabel="true", title=title)
        axes.grid(False)
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
        save_png(figure, path)
    return True


def draw_training(
    history: Sequence[dict[str, float]], title: str, path: str | os.PathLike
) -> bool:
    """Draws loss and accuracy of a training as PNG, those of validation beside them.

    Args:
        history: a row for each checkpoint: "step", "loss", "top1" and, where there is
            validation, "val_loss" and "val_top1"; or "val_map" instead of top-1.
        title: what is written above.
        path: the file.

    Returns:
        Whether it was drawn: without matplotlib there is a notice instead.

    Raises:
        OSError: the file cannot be written.
    """
    if not is_drawn(path):
        return False
    labels = {"loss": "loss", "top1": "top-1, %", "map": "mean average precision, %"}
    known = {name.removeprefix("val_") for name in history[-1]}
    names = {name: label for name, label in labels.items() if name in known}
    with new_figure(8, 3) as figure:
        figure.suptitle(title)
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, (name, label) in zip(panels, names.items(), strict=True):
            scale = 1 if name == "loss" else 100
            for key, of in ((name, "training"), (f"val_{name}", "validation")):
                points = [
                    (row["step"], scale * row[key]) for row in history if key in row
                ]
                if points:
                    marker = "o" if len(points) < 30 else ""
                    axes.plot(*zip(*points, strict=True), marker=marker, ms=3, label=of)
            axes.set(xlabel="step", ylabel=label)
            axes.legend()
        save_png(figure, path)
    return True


def line_chart(
    x: Sequence[float], lines: dict[str, Sequence[float]], xlabel: str, ylabel: str
) -> str:
    """A small chart of lines as SVG, for pages: wide enough for a phone.

    Args:
        x: places of the points.
        lines: values by name.
        xlabel: what `x` is.
        ylabel: what the values are.

    Returns:
        The element `<svg>`.
    """
    with new_figure(4.6, 3.4) as figure:
        axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
        for name, values in lines.items():
            axes.plot(
                x,
                values,
                marker="o" if len(x) < 30 else "",
                ms=3,
                label=printable(name),
            )
        figure.legend(loc="outside lower center", ncols=1)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def is_drawn(path: str | os.PathLike) -> bool:
    """Whether a picture can be drawn; logs a warning if not."""
    if is_installed():
        return True
    logging.warning(
        "%s is not drawn without matplotlib: %s, then the same command adds it",
        path, INSTALL,
    )  # fmt: skip
    return False
