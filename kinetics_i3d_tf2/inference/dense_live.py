"""Scores at each place in time of a live video, by dense logits."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from absl import logging

from ..data import preprocessing
from ..models.architecture import TIME_STRIDE
from ..streams import CHANNELS
from ..video.live import LiveVideo
from ..video.reader import FRAME_RATE
from .dense_scores import Places
from .scores import Scores

if TYPE_CHECKING:
    from .classifier import Classifier
    from .live import LiveOptions

_HELD = 10.0  # Seconds of the video that may wait for the models.


def score_live_places(
    classifier: "Classifier", source: str, options: "LiveOptions"
) -> Iterator[tuple[Scores, float, int]]:
    """Scores the places of a live video, each once.

    If the models are slower than the video, or a connection is lost, frames are lost:
    the places before them are completed as at the end of a clip, and a new clip begins.

    Args:
        classifier: the models.
        source: camera, address or pipe, as of `LiveVideo`.
        options: how it is seen; of places closer than `every`, some are left out.

    Yields:
        Scores; seconds from the arrival of the newest frame that was used; and places
        that were lost since the one before.

    Raises:
        OSError: there is no such source.
        ValueError: it is a regular file, or not a video.
    """
    recipe = options.recipe or classifier.recipe
    _warm_up(classifier, recipe)
    due, reported = 0.0, 0
    with LiveVideo(source, seconds=_HELD, timeout=options.timeout) as video:
        feed = _Feed(video)
        while not feed.is_over:
            lost = feed.lost
            for scores in _clip(classifier, feed, recipe):
                if scores.seconds[0] < due:
                    continue
                delay = time.monotonic() - feed.arrived
                yield scores, delay, (lost - reported) // TIME_STRIDE
                due, reported = scores.seconds[0] + options.every - 1e-6, lost


def _warm_up(classifier, recipe):
    """Makes the graphs before time matters."""
    size = (TIME_STRIDE, recipe.crop_size, recipe.crop_size)
    for name, stream in classifier.dense_streams(TIME_STRIDE).items():
        stream.add(np.zeros((*size, CHANNELS[name]), np.float32))


def _clip(classifier, feed, recipe):
    """Yields the scores of frames up to a gap."""
    places = Places(classifier, feed.start(), TIME_STRIDE)
    held, count = [], 0
    for streams in preprocessing.iter_streams(feed.frames(), recipe):
        held.append(streams)
        count += 1
        if len(held) == TIME_STRIDE:
            yield from places.add(_stack(held))
            held = []
    if held:
        yield from places.add(_stack(held))
    if count:
        yield from places.finish(count)


def _stack(frames):
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}


class _Feed:
    """The frames of a live video, one after another.

    Attributes:
        arrived: when the newest frame came, as of `time.monotonic`.
        lost: number of frames that were dropped so far.
        is_over: whether the source has ended.
    """

    def __init__(self, video):
        self._video = video
        self._end = self.arrived = 0.0
        self._next = []
        self.lost = 0
        self.is_over = not self._wait()

    def start(self) -> float:
        """The second at which the next clip begins."""
        return max(0.0, self._end - len(self._next) / FRAME_RATE)

    def frames(self) -> Iterator[np.ndarray]:
        """Yields frames until one is missing, or the source ends."""
        while not self.is_over:
            yield from self._next
            end = self._end
            self.is_over = not self._wait()
            came = round((self._end - end) * FRAME_RATE)
            if not self.is_over and not 0 < came <= len(self._next):
                self.lost += max(0, came - len(self._next))
                logging.warning("Frames were lost at %.1f s; going on after them", end)
                return
            self._next = self._next[-came:] if came else []

    def _wait(self):
        newest = self._video.wait_after(self._end, TIME_STRIDE)
        if newest is None:
            return False
        self._next, self._end, self.arrived = newest
        return True
