"""The kernels of a network's first convolution, and what they look like."""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..checkpoints.file_formats.tensor_bundle import BundleReader
from ..utils import files
from . import images as pictures
from . import plots

# The units that see the pixels, as Sonnet's and TF-slim's checkpoints name them.
_FIRST = re.compile(r"(^|/)Conv[23]d_1a_7x7/(conv_[23]d/w|weights)$")
# Pixels of a picture for each of a kernel, and between kernels.
_ZOOM = 5
_GAP = 3
_PANEL = 2.2  # inches
_SECONDS = 0.4  # of a picture of the animation


class Kernels(NamedTuple):
    """The kernels of one first convolution.

    Attributes:
        name: of the weights in the checkpoint.
        values: float32 `(time, height, width, 3 or 2, filters)`; RGB or flow.
        is_image: whether it sees single frames: a kernel of two dimensions.
    """

    name: str
    values: np.ndarray
    is_image: bool

    @property
    def title(self) -> str:
        """What it sees, for people."""
        stream = {3: "RGB", 2: "optical flow"}[self.values.shape[3]]
        return f"{stream}, single frames (2D)" if self.is_image else f"{stream} (3D)"


def read(path: str | os.PathLike) -> list[Kernels]:
    """Reads the first kernels of a checkpoint.

    Args:
        path: prefix, folder or name (`"rgb_imagenet"`) of a checkpoint of I3D or
            another of this package's models, or TF-slim's Inception-V1 (its file, or
            its prefix).

    Returns:
        One for each network in it: two of the two-stream architectures. The flow of
        several frames that those see at once counts as time.

    Raises:
        OSError: there is no such checkpoint.
        ValueError: it is corrupt, or has no such convolution.
    """
    from ..checkpoints import pretrained, tf_slim

    if tf_slim.is_inception_v1(path):
        kernel = tf_slim.read_inception_v1(path)["Conv2d_1a_7x7/conv_2d/w"]
        return [Kernels("InceptionV1/Conv2d_1a_7x7/weights", kernel[None], True)]
    reader = BundleReader(pretrained.locate(path))
    names = [name for name, *_ in reader.entries() if _FIRST.search(name)]
    if not names:
        raise ValueError(
            f"{files.redact(path)}: has no convolution Conv3d_1a_7x7 or Conv2d_1a_7x7 "
            "to draw"
        )
    return [_kernels(name, reader.read(name)) for name in names]


def pictures_of(kernels: Kernels) -> np.ndarray:
    """Draws all kernels as a square of squares, one picture for each time.

    RGB kernels are drawn in their colours, grey where they are 0; of flow, the hue is
    the direction to which they answer, white where they are 0. Each is scaled by its
    own largest weight of all times.

    Args:
        kernels: the kernels.

    Returns:
        uint8 RGB `(time, height, width, 3)`.

    Source: figure 4 of the paper, which shows the 64 first kernels.
    """
    values = kernels.values.astype(np.float32)
    largest = np.abs(values).max(axis=(0, 1, 2, 3)).clip(min=1e-12)
    values = np.moveaxis(values / largest, -1, 0)  # (filters, time, h, w, channels)
    if values.shape[-1] == 2:
        images = pictures.flow_colors(values, 1.0)
    else:
        images = ((values + 1) * 127.5).round().astype(np.uint8)
    images = images.repeat(_ZOOM, axis=2).repeat(_ZOOM, axis=3)
    count, times, height, width, _ = images.shape
    side = int(np.ceil(np.sqrt(count)))
    step = np.array([height, width]) + _GAP
    sheet = np.full((times, *(side * step - _GAP), 3), 255, np.uint8)
    for number, image in enumerate(images):
        top, left = np.array(divmod(number, side)) * step
        sheet[:, top : top + height, left : left + width] = image
    return sheet


def _kernels(name, values):
    if values.ndim == 5:
        return Kernels(name, values, False)
    height, width, channels, filters = values.shape
    if channels == 3:
        return Kernels(name, values[None], True)
    # Stacked fields of flow: (dx, dy) of the first, of the second, ...
    stacked = values.reshape(height, width, channels // 2, 2, filters)
    return Kernels(name, np.moveaxis(stacked, 2, 0), True)


@suggest_arguments
def draw_filters(
    checkpoints: Sequence[str | os.PathLike], path: str | os.PathLike
) -> list[Kernels]:
    """Draws the first kernels of networks, side by side and as an animation.

    Args:
        checkpoints: as of `read`.
        path: the pictures without their suffix: .png and .gif are added.

    Returns:
        The kernels that were drawn.

    Raises:
        OSError: there is no such checkpoint, or a picture cannot be written.
        ValueError: a checkpoint is corrupt, or has no such convolution.
    """
    networks = [kernels for each in checkpoints for kernels in read(each)]
    sheets = [(each.title, pictures_of(each)) for each in networks]
    draw_side_by_side(sheets, f"{path}.png")
    animate(sheets, f"{path}.gif")
    return networks


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
