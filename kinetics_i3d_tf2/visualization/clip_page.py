"""One page of what a model makes of a clip: it needs no other file and no network."""

import html
import os
import string
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..models.architecture import TIME_STRIDE
from ..utils import files
from ..video.optical_flow import FLOW_BOUND
from ..video.reader import FRAME_RATE
from . import images as pictures
from . import plots

_FRAMES = 8  # of the clip that are shown
_CLASSES = 5  # that lines and maps are drawn of
_MAP_SIZE = 56  # pixels; browsers enlarge it smoothly
_PAGE = Path(__file__).with_suffix(".html")
_TITLES = {"rgb": "RGB", "flow": "Optical flow"}


class Stream(NamedTuple):
    """What one stream saw, and where.

    Attributes:
        clip: float32 `(frames, height, width, 3 or 2)` in [-1, 1].
        maps: float32 `(t, h, w, num_classes)`, as of `activation_maps.maps`.
        over_time: float32 `(t - 1, num_classes)`, as of `activation_maps.over_time`.
    """

    clip: np.ndarray
    maps: np.ndarray
    over_time: np.ndarray


class Verdict(NamedTuple):
    """What was made of a clip.

    Attributes:
        title: of the page: what was seen.
        facts: lines below it: of which weights, and so on.
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
    path: str | os.PathLike, verdict: Verdict, streams: dict[str, Stream]
) -> None:
    """Writes the page.

    Args:
        path: the file.
        verdict: what was made of the clip.
        streams: what each stream saw: "rgb", "flow" or both.

    Raises:
        OSError: the file cannot be written.
    """
    sections = [_bars(verdict)]
    sections += [_strip(name, seen, verdict) for name, seen in streams.items()]
    sections.append(_chart(verdict, streams))
    page = string.Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=html.escape(verdict.title),
        facts="<br>".join(map(html.escape, verdict.facts)),
        choices=_choices(verdict),
        rules=_rules(verdict),
        sections="\n".join(sections),
    )
    with files.atomic_writer(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _bars(verdict):
    rows = []
    for index in verdict.top:
        percent = 100 * verdict.probabilities[index]
        share = f"{percent:.2f}%" if percent >= 0.01 else "&lt; 0.01%"
        rows.append(
            f'<li><span class="name">{html.escape(verdict.names[index])}</span>'
            f'<span class="bar"><i style="width:{percent:.3f}%"></i>'
            f"</span><span class=number>{share}</span>"
            f"<span class=number>{verdict.logits[index]:.2f}</span></li>"
        )
    return (
        "<section><h2>Classes</h2><p>Probability and logit of the best.</p>"
        f"<ol class=bars>{''.join(rows)}</ol></section>"
    )


def _choices(verdict):
    """Buttons for the class whose maps are shown; the page works by style alone."""
    inputs, labels = ["<input type=radio name=map id=m-none>"], []
    for place, index in enumerate(verdict.top[:_CLASSES]):
        checked = " checked" if place == 0 else ""
        inputs.append(f"<input type=radio name=map id=m{place}{checked}>")
        name = html.escape(verdict.names[index])
        labels.append(f"<label for=m{place}>{name}</label>")
    labels.append("<label for=m-none>nothing</label>")
    return (
        "".join(inputs)
        + "<nav><span>Light where the network finds</span>"
        + "".join(labels)
        + "</nav>"
    )


def _rules(verdict):
    places = range(len(verdict.top[:_CLASSES]))
    shown = [f"#m{n}:checked~main .m{n}" for n in places]
    chosen = [f"#m{n}:checked~nav label[for=m{n}]" for n in (*places, "-none")]
    focused = [f"#m{n}:focus-visible~nav label[for=m{n}]" for n in (*places, "-none")]
    return (
        f"{','.join(shown)}{{display:block}}"
        f"{','.join(chosen)}{{background:var(--ink);color:var(--paper)}}"
        f"{','.join(focused)}{{outline:2px solid var(--accent)}}"
    )


def _strip(name, seen, verdict):
    """Some frames of a stream, with the maps of the best classes over them."""
    count = len(seen.clip)
    numbers = ((np.arange(_FRAMES) + 0.5) * count / _FRAMES).astype(int)
    numbers = np.unique(numbers.clip(max=count - 1))
    if name == "rgb":
        images = ((seen.clip[numbers] + 1) * 127.5).round().clip(0, 255)
        images = images.astype(np.uint8)
        note = "The frames as the network sees them."
    else:
        pixels = seen.clip * FLOW_BOUND
        largest = float(np.percentile(np.hypot(pixels[..., 0], pixels[..., 1]), 99.5))
        images = pictures.flow_colors(pixels[numbers], largest)
        note = (
            f"The hue is the direction: {_LEGEND}. White is no motion, full colour "
            f"{largest:.1f} pixels a frame or more."
        )
    layers = [_shares(seen.maps[..., index]) for index in verdict.top[:_CLASSES]]
    figures = []
    for number, image in zip(numbers, images, strict=True):
        place = min(number // TIME_STRIDE, len(seen.maps) - 1)
        second = verdict.start + number / FRAME_RATE
        overlays = "".join(
            f'<img class="map m{n}" alt="" src="'
            f'{pictures.png_uri(pictures.spotlight(layer[place], _MAP_SIZE))}">'
            for n, layer in enumerate(layers)
        )
        figures.append(
            f'<figure><div><img alt="{_TITLES[name]} at second {second:.2f}" '
            f'src="{pictures.jpeg_uri(image)}">{overlays}</div>'
            f"<figcaption>{second:.2f} s</figcaption></figure>"
        )
    return (
        f"<section><h2>{_TITLES[name]}</h2><p>{note}</p>"
        f"<div class=strip>{''.join(figures)}</div></section>"
    )


def _shares(class_map):
    """A class's logits by place, as shares between the clip's mean and its largest."""
    low, high = class_map.mean(), class_map.max()
    return ((class_map - low) / max(high - low, 1e-6)).clip(0, 1)


def _chart(verdict, streams):
    # Joint logits are the sum of both streams', of which RGB may have a window more.
    count = min(len(seen.over_time) for seen in streams.values())
    logits = sum(seen.over_time[:count] for seen in streams.values())
    frames = TIME_STRIDE * (np.arange(count) + 1)
    lines = {
        _shortened(verdict.names[index]): logits[:, index]
        for index in verdict.top[:_CLASSES]
    }
    chart = plots.line_chart(
        verdict.start + frames / FRAME_RATE, lines, "seconds", "logit"
    )
    return (
        "<section><h2>Over time</h2><p>Logits of the best classes, of two thirds of a "
        "second each; the clip's are their mean.</p>"
        '<div class=chart role=img aria-label="Logits over time">'
        f"{chart}</div></section>"
    )


def _shortened(name, most=40):
    return name if len(name) <= most else name[: most - 1] + "…"


_LEGEND = ", ".join(
    f'<b style="background:rgb({",".join(map(str, color))})">{word}</b>'
    for word, color in zip(
        ("right", "down", "left", "up"),
        pictures.flow_colors(np.array([[1, 0], [0, 1], [-1, 0], [0, -1.0]]), 1.0),
        strict=True,
    )
)
