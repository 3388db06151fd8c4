"""Scores of the newest seconds of a live video."""

import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data import preprocessing
from ..data.clip_recipe import ClipRecipe
from ..models.architecture import MIN_FRAMES
from ..video.live import LiveVideo
from ..video.reader import FRAME_RATE
from .dense_live import score_live_places
from .scores import Scores

if TYPE_CHECKING:
    from .classifier import Classifier


class LiveScores(NamedTuple):
    """What the newest window shows.

    Attributes:
        scores: its scores; `seconds` count from the first frame that was received.
        delay: seconds from the arrival of its last frame to its scores.
        skipped: windows that were due since the one before, and that there was no time
            for; with `dense`, places whose frames were lost.
    """

    scores: Scores
    delay: float
    skipped: int


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """How a live video is seen.

    Attributes:
        window: seconds that are seen together.
        every: seconds from one window to the next. When the machine is too slow,
            windows are skipped; the newest is always next.
        dense: score each place in time once, 8 frames, by dense logits, instead of
            windows; with `every` above 0.32, some of them.
        timeout: seconds without data after which a connection is lost.
        recipe: how frames are prepared; by default as the classifier does.

    Raises:
        ValueError: a number is out of range.
    """

    window: float = 2.56
    every: float = 1.0
    dense: bool = False
    timeout: float = 10.0
    recipe: ClipRecipe | None = None

    def __post_init__(self):
        if self.num_frames < MIN_FRAMES:
            raise ValueError(
                f"A window needs at least {MIN_FRAMES / FRAME_RATE:g} seconds. "
                f"Received: {self.window:g}"
            )
        for name in ("every", "timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"{name} must be above 0 seconds. Received: {getattr(self, name)}"
                )

    @property
    def num_frames(self) -> int:
        """Frames of a window."""
        return round(self.window * FRAME_RATE)


DEFAULT = LiveOptions()


def classify_live(
    classifier: "Classifier", source: str, options: LiveOptions = DEFAULT
) -> Iterator[LiveScores]:
    """Classifies the newest window of a live video, again and again.

    A thread reads the video and drops what is old, so that neither memory nor the delay
    grows, however slow the models are.

    Args:
        classifier: the models.
        source: camera, address or pipe, as of `LiveVideo`.
        options: how it is seen.

    Yields:
        Scores of the newest window, every `options.every` seconds at most; without an
        end, except of pipes.

    Raises:
        OSError: there is no such source.
        ValueError: it is a regular file, or not a video.
    """
    if options.dense:
        for found in score_live_places(classifier, source, options):
            yield LiveScores(*found)
        return
    count = options.num_frames
    recipe = options.recipe or classifier.recipe
    # Graphs are made before time matters.
    shape = (1, count, recipe.crop_size, recipe.crop_size)
    channels = {"rgb": 3, "flow": 2}
    blank = {n: np.zeros((*shape, channels[n]), np.float32) for n in recipe.streams}
    classifier.run(blank, ("Logits",), frozen=True)
    with LiveVideo(source, seconds=options.window, timeout=options.timeout) as video:
        due = options.window
        while (newest := video.wait(due, count)) is not None:
            scores = _scores(classifier, newest, count, recipe)
            delay = time.monotonic() - newest.arrived
            passed = max(0, int((newest.end - due) / options.every + 1e-6))
            yield LiveScores(scores, delay, passed)
            due += (passed + 1) * options.every


def _scores(classifier, newest, count, recipe):
    frames = newest.frames if "flow" in recipe.streams else newest.frames[-count:]
    clip = preprocessing.normalize(preprocessing.compact_input(frames, recipe))
    outputs = classifier.run(
        {name: stream[None, -count:] for name, stream in clip.items()},
        ("Logits",),
        frozen=True,
    )
    used = min(len(frames), count)
    seconds = (newest.end - used / FRAME_RATE, newest.end)
    scores = classifier.scores_of(outputs, seconds=seconds)
    return dataclasses.replace(scores, frames=used)
