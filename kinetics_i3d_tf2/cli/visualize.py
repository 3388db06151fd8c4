r"""Draws what is in a network: the kernels of its first convolution.

As figure 4 of the paper: RGB, flow and the images' network, one below the other; the
seven times of the kernels from left to right, and as an animation:
  i3d visualize filters checkpoints/flow_imagenet \
    checkpoints/rgb_imagenet inception_v1.ckpt --out=filters

Writes filters.png and filters.gif. Checkpoints are prefixes or folders, of any
architecture here, or TF-slim's Inception-V1. Needs the extra plot.

RGB kernels are drawn in their colours, grey where they are 0; of flow kernels, the hue
is the direction to which they answer (right red, down green, left cyan, up violet),
white where they are 0. Each is scaled by its own largest weight.
"""

import os

import numpy as np
from absl import flags

from ..utils import files
from ..visualization import filters, plots
from . import program

_OUT = flags.DEFINE_string(
    "out", "filters", "The pictures without their suffix; .png and .gif are added."
)

_PANEL = 2.2  # inches
_SECONDS = 0.4  # of a picture of the animation


def main(argv):
    """Draws what the arguments ask for."""
    what, *paths = argv[1:] or [""]
    if what != "filters" or not paths:
        raise ValueError(
            "say what to draw: i3d visualize filters "
            f"CHECKPOINT [CHECKPOINT ...]. Received: {' '.join(argv[1:]) or 'nothing'}"
        )
    if not plots.is_installed():
        raise ValueError(f"pictures need matplotlib: {plots.INSTALL}")
    program.check_output(_OUT)
    with program.quiet_tensorflow():
        networks = [kernels for path in paths for kernels in filters.read(path)]
    sheets = [(each.title, filters.pictures_of(each)) for each in networks]
    draw_side_by_side(sheets, f"{_OUT.value}.png")
    animate(sheets, f"{_OUT.value}.gif")
    for each in networks:
        print(f"{each.title}: {each.values.shape[-1]} kernels, {each.name}")
    print(f"{_OUT.value}.png, {_OUT.value}.gif")


def draw_side_by_side(sheets: list[tuple[str, np.ndarray]], path: str) -> None:
    """Draws a row for each network, its times from left to right, as PNG.

    Args:
        sheets: titles, and pictures `(time, height, width, 3)`.
        path: the file.

    Raises:
        OSError: it cannot be written.
    """
    columns = max(len(images) for _, images in sheets)
    size = _PANEL * columns, (_PANEL + 0.45) * len(sheets)
    with plots.new_figure(*size) as figure:
        rows = figure.subfigures(len(sheets), 1, squeeze=False)[:, 0]
        for row, (title, images) in zip(rows, sheets, strict=True):
            row.suptitle(title)
            panels = row.subplots(1, columns, squeeze=False)[0]
            for number, axes in enumerate(panels):
                axes.axis("off")
                if number < len(images):
                    axes.imshow(images[number], interpolation="nearest")
                    if len(images) > 1:
                        axes.set_title(f"time {number + 1}", fontsize=8)
        plots.save_png(figure, path)


def animate(sheets: list[tuple[str, np.ndarray]], path: str) -> None:
    """Draws the networks side by side, and their times one after another, as GIF.

    Args:
        sheets: titles, and pictures `(time, height, width, 3)`; single ones stay.
        path: the file.

    Raises:
        OSError: it cannot be written.
    """
    from matplotlib.animation import FuncAnimation, PillowWriter

    times = max(len(images) for _, images in sheets)
    with plots.new_figure(1.8 * _PANEL * len(sheets), 1.8 * _PANEL + 0.3) as figure:
        panels = figure.subplots(1, len(sheets), squeeze=False)[0]
        drawn = []
        for axes, (title, images) in zip(panels, sheets, strict=True):
            axes.axis("off")
            axes.set_title(title)
            drawn.append(axes.imshow(images[0], interpolation="nearest"))

        def show(time):
            for image, (_, images) in zip(drawn, sheets, strict=True):
                image.set_data(images[time % len(images)])

        animation = FuncAnimation(figure, show, frames=times)
        with files.atomic_writer(path) as temporary:
            # The writer goes by the suffix.
            named = temporary.with_suffix(".gif")
            animation.save(named, PillowWriter(fps=1 / _SECONDS), dpi=100)
            os.replace(named, temporary)
