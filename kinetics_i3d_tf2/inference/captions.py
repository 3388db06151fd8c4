"""Segments as WebVTT captions, which video players show."""

import html
import os
from collections.abc import Sequence

from ..arguments import suggest_arguments
from ..utils import files
from ..utils.text import printable
from .segments import Segment


@suggest_arguments
def write_captions(path: str | os.PathLike, segments: Sequence[Segment]) -> None:
    """Writes a WebVTT file with a cue for each segment: the label and its probability.

    Args:
        path: the file, such as `clip.vtt`; a player shows it beside `clip.mp4`.
        segments: as of `find_segments`.

    Raises:
        OSError: it cannot be written.

    Source: WebVTT, W3C Candidate Recommendation of 2019-04-04.
    """
    cues = ["WEBVTT\n"]
    for number, segment in enumerate(segments, 1):
        # Of control characters, a newline would end the cue.
        label = html.escape(printable(segment.label), quote=False)
        cues.append(
            f"{number}\n{_time(segment.start)} --> {_time(segment.end)}\n"
            f"{label} ({segment.probability:.0%})\n"
        )
    with files.atomic_writer(path) as temporary:
        lines = "\n".join(cues).split("\n")
        temporary.write_text("\n".join(map(printable, lines)), encoding="utf-8")


def _time(seconds):
    """hours:minutes:seconds.milliseconds."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
