"""One page about a video over time: its frames, and a lane for each of its classes.

The page needs no other file and no network.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..inference.scores import Scores
from ..inference.segments import Segment, time_borders
from ..utils import files
from ..utils.text import printable
from ..video.reader import iter_video
from ..video.transforms import resize_short_side
from . import images

_LANES = 8
_LOWEST = 0.01  # A class that stays below this probability has no lane.
_THUMBNAILS = 16
_THUMBNAIL_SIDE = 96  # pixels
_BEST = 3  # classes that are shown of the window at the cursor
_TEMPLATE = Path(__file__).with_suffix(".html")


class Thumbnail(NamedTuple):
    """A frame of the video.

    Attributes:
        second: its time.
        image: the frame as the text of a JPEG's address.
    """

    second: float
    image: str


@suggest_arguments
def write_timeline(
    path: str | os.PathLike,
    title: str,
    scores: Sequence[Scores],
    segments: Sequence[Segment],
    thumbnails: Sequence[Thumbnail] = (),
    facts: Sequence[str] = (),
) -> None:
    """Writes the page.

    Args:
        path: the file, such as `film.html`.
        title: of the page: which video it is.
        scores: of its windows in order, as of `Classifier.over_time`; at least one.
        segments: what `find_segments` finds in them.
        thumbnails: as of `read_thumbnails`.
        facts: lines below the title: which weights, and so on.

    Raises:
        OSError: the file cannot be written.
        ValueError: there are no scores.
    """
    import jinja2

    if not scores:
        raise ValueError(f"{title}: there are no windows to show")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"clock": clock, "printable": printable}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    borders = time_borders(scores)
    probabilities = np.stack([window.probabilities for window in scores])
    names = [printable(name) for name in scores[0].class_names]
    low = int((probabilities.max(0) < _LOWEST).sum())
    page = template.render(
        title=title,
        facts=facts,
        start=borders[0],
        end=borders[-1],
        thumbnails=thumbnails,
        lanes=_lanes(probabilities, names, borders, segments),
        segments=segments,
        windows=_windows(probabilities, names, borders),
        left_out=low,
        total=len(names),
        lowest=f"{_LOWEST:.0%}",
    )
    with files.atomic_writer(path) as temporary:
        # Names of files may have characters that no page can have.
        page = "\n".join(map(printable, page.split("\n")))
        temporary.write_text(page, encoding="utf-8")


def read_thumbnails(
    source: str | os.PathLike, start: float, end: float, count: int = _THUMBNAILS
) -> list[Thumbnail]:
    """Reads small frames of a video, evenly spread.

    Args:
        source: the video.
        start: first second of the part that is shown.
        end: last second.
        count: how many frames.

    Returns:
        The frames that can be read; a damaged place has none.
    """
    found = []
    for number in range(count):
        second = start + (end - start) * (number + 0.5) / count
        try:
            frame = next(iter_video(source, start=second, max_frames=1), None)
        except (ValueError, OSError):
            frame = None
        if frame is not None:
            small = resize_short_side(frame, _THUMBNAIL_SIDE)
            found.append(Thumbnail(second, images.jpeg_uri(small)))
    return found


def clock(seconds: float) -> str:
    """A time as minutes and seconds, 2:05.0, or with hours, 1:02:05.0."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02}.{rest % 10}"


def _lanes(probabilities, names, borders, segments):
    """The classes with the highest probabilities, as areas over the time."""
    best = probabilities.max(0)
    order = np.argsort(-best, kind="stable")[:_LANES]
    order = order[best[order] >= min(_LOWEST, best.max())]
    start, length = borders[0], max(borders[-1] - borders[0], 1e-6)
    places = [1000 * (border - start) / length for border in borders]
    lanes = []
    for index in order:
        steps = ["0,100"]
        for number, probability in enumerate(probabilities[:, index]):
            height = 100 * (1 - probability)
            steps += [f"{x:.2f},{height:.2f}" for x in places[number : number + 2]]
        own = [segment for segment in segments if segment.index == index]
        lanes.append(
            {
                "name": names[index],
                "best": f"{best[index]:.0%}",
                "area": " ".join([*steps, "1000,100"]),
                "segments": [
                    {
                        "x": 1000 * (segment.start - start) / length,
                        "width": 1000 * (segment.end - segment.start) / length,
                        "times": f"{clock(segment.start)} to {clock(segment.end)}",
                    }
                    for segment in own
                ],
            }
        )
    return lanes


def _windows(probabilities, names, borders):
    """For the cursor: the end of each window's time, and its best classes."""
    rows = []
    for values, end in zip(probabilities, borders[1:], strict=True):
        order = np.argsort(-values, kind="stable")[:_BEST]
        best = [f"{names[index]} {values[index]:.0%}" for index in order]
        rows.append([round(end, 3), ", ".join(best)])
    return rows
