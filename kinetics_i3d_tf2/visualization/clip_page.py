"""One page about a clip: what a model answers, where and when it finds a class.

The page needs no other file, no network and no script.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..models.architecture import TIME_STRIDE
from ..utils import files
from ..utils.text import printable
from ..video.optical_flow import FLOW_BOUND
from ..video.reader import FRAME_RATE
from . import images, plots

FRAMES = 8  # of the clip that are best shown
_CLASSES = 5  # that lines and maps are drawn for
_MAP_SIZE = 56  # pixels; browsers enlarge it smoothly
_TEMPLATE = Path(__file__).with_suffix(".html")
_TITLES = {"rgb": "RGB", "flow": "Optical flow"}
# A best class with less than this probability is called uncertain.
_CERTAIN = 0.5
_DIRECTIONS = {"right": (1, 0), "down": (0, 1), "left": (-1, 0), "up": (0, -1)}


class Stream(NamedTuple):
    """What one stream saw, and where.

    Attributes:
        numbers: places in the clip of the frames that are shown.
        frames: those, float32 `(shown, height, width, 3 or 2)` in [-1, 1].
        count: frames of the clip.
        maps: float32 `(t, h, w, num_classes)`, as of `class_activation_maps.maps`.
        over_time: float32 `(t - 1, num_classes)`, as of
            `class_activation_maps.over_time`.
    """

    numbers: np.ndarray
    frames: np.ndarray
    count: int
    maps: np.ndarray
    over_time: np.ndarray


class Verdict(NamedTuple):
    """What a model answers about a clip.

    Attributes:
        title: of the page: which clip it is.
        facts: lines below it: which weights, and so on.
        names: class names by index.
        logits: float32 `(num_classes,)`.
        probabilities: of the classes, `(num_classes,)`.
        top: indices of the classes that are listed, best first.
        start: second of the video at which the clip begins.
    """

    title: str
    facts: Sequence[str]
    names: Sequence[str]
    logits: np.ndarray
    probabilities: np.ndarray
    top: Sequence[int]
    start: float = 0.0


def write(
    path: str | os.PathLike, verdict: Verdict, streams: Mapping[str, Stream]
) -> None:
    """Writes the page.

    Args:
        path: the file.
        verdict: what the model answers.
        streams: what each stream saw: "rgb", "flow" or both.

    Raises:
        OSError: the file cannot be written.
    """
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    frames = max(stream.count for stream in streams.values())  # RGB has one more.
    page = template.render(
        verdict=verdict,
        end=verdict.start + frames / FRAME_RATE,
        classes=[_class(verdict, index) for index in verdict.top],
        is_certain=verdict.probabilities[verdict.top[0]] >= _CERTAIN,
        mapped=[verdict.names[index] for index in verdict.top[:_CLASSES]],
        strips=[_strip(name, seen, verdict) for name, seen in streams.items()],
        directions=_legend(),
        chart=_chart(verdict, streams),
    )
    with files.atomic_writer(path) as temporary:
        # Names of files may have characters that no page can have.
        page = "\n".join(map(printable, page.split("\n")))
        temporary.write_text(page, encoding="utf-8")


def _class(verdict, index):
    percent = 100 * float(verdict.probabilities[index])
    return {
        "name": verdict.names[index],
        "percent": percent,
        "share": f"{percent:.2f}%" if percent >= 0.01 else "< 0.01%",
        "logit": f"{verdict.logits[index]:.2f}",
    }


def _strip(name, seen, verdict):
    """Some frames of a stream, and the maps of the best classes over them."""
    pictures, largest = _pictures(name, seen.frames)
    maps = [_shares(seen.maps[..., index]) for index in verdict.top[:_CLASSES]]
    figures = []
    for number, picture in zip(seen.numbers, pictures, strict=True):
        place = min(number // TIME_STRIDE, len(seen.maps) - 1)
        overlays = [images.heat(layer[place], _MAP_SIZE) for layer in maps]
        figures.append(
            {
                "second": f"{verdict.start + number / FRAME_RATE:.2f}",
                "image": images.jpeg_uri(picture),
                "maps": [images.png_uri(overlay) for overlay in overlays],
            }
        )
    return {"title": _TITLES[name], "largest": largest, "figures": figures}


def _pictures(name, frames):
    """Frames as pictures; of flow also the motion that has the full colour."""
    if name == "rgb":
        return ((frames + 1) * 127.5).round().clip(0, 255).astype(np.uint8), None
    pixels = frames * FLOW_BOUND
    largest = float(np.percentile(np.hypot(pixels[..., 0], pixels[..., 1]), 99.5))
    return images.flow_colors(pixels, largest), f"{largest:.1f}"


def _shares(class_map):
    """A class's logits by place, as shares between the clip's mean and its largest."""
    low, high = class_map.mean(), class_map.max()
    return ((class_map - low) / max(high - low, 1e-6)).clip(0, 1)


def _legend():
    colors = images.flow_colors(np.array([*_DIRECTIONS.values()], float), 1.0)
    return [
        {
            "word": word,
            "color": "rgb({}, {}, {})".format(*color),
            # Violet is too dark for black letters.
            "ink": "#000" if color @ (0.3, 0.59, 0.11) > 72 else "#fff",
        }
        for word, color in zip(_DIRECTIONS, colors, strict=True)
    ]


def _chart(verdict, streams):
    """Logits over time as SVG; None if there is a single window."""
    # Joint logits are the sum of both streams', and RGB may have a window more.
    count = min(len(seen.over_time) for seen in streams.values())
    if count < 2:
        return None
    logits = sum(seen.over_time[:count] for seen in streams.values())
    frames = TIME_STRIDE * (np.arange(count) + 1)
    lines = {
        _shortened(verdict.names[index]): logits[:, index]
        for index in verdict.top[:_CLASSES]
    }
    return plots.line_chart(
        verdict.start + frames / FRAME_RATE, lines, "seconds", "logit"
    )


def _shortened(name, most=40):
    return name if len(name) <= most else name[: most - 1] + "…"
