"""Scores at each place in time of a video, one for 8 frames, by dense logits."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..models.architecture import TIME_STRIDE
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .labelling import DEFAULT, LabellingOptions, open_part, scores_at
from .scores import Scores
from .videos import run_windows
from .windows import Window, Windows

if TYPE_CHECKING:
    from .classifier import Classifier

_PART = 4 * TIME_STRIDE  # Frames that are run at once: faster than 8, and soon enough.


class Places:
    """The places of a clip whose frames come in parts.

    A place speaks for the 8 frames around its middle; the first and the last also for
    those at their edge.

    Args:
        classifier: the models.
        start: second of the video at which the clip begins.
        part: frames that are run at once, as of `DenseStream`.
    """

    def __init__(self, classifier: "Classifier", start: float, part: int):
        self._classifier, self._start = classifier, start
        self._streams = classifier.dense_streams(part)
        self._done = 0

    def add(self, clip: Mapping[str, np.ndarray]) -> list[Scores]:
        """Takes the next frames of each stream, `(n, height, width, channels)`.

        Returns:
            Scores of the places that are complete.
        """
        return self._scores([s.add(clip[name]) for name, s in self._streams.items()])

    def finish(self, count: int) -> list[Scores]:
        """Gives the scores that are left, of a clip that ends after `count` frames."""
        return self._scores([s.finish() for s in self._streams.values()], count)

    def _scores(self, logits, count=None):
        logits = np.stack(logits, axis=1)
        found = []
        for number, streams in enumerate(logits, self._done):
            middle = (number + 1) * TIME_STRIDE
            first = middle - TIME_STRIDE // 2 if number else 0
            end = middle + TIME_STRIDE // 2
            # The last place is always among those that are left at the end.
            if count is not None and number == self._done + len(logits) - 1:
                end = count
            seconds = (self._start + first / FRAME_RATE, self._start + end / FRAME_RATE)
            place = Scores(streams, (), {}, seconds, end - first)
            found.append(scores_at(self._classifier, streams, place))
        self._done += len(logits)
        return found


def dense_over_time(
    classifier: "Classifier",
    source: Clip | Record,
    options: LabellingOptions = DEFAULT,
    *,
    on_damage: Callable[[Damage], object] = lambda damage: None,
) -> Iterator[Scores]:
    """Classifies each place in time of a video, as its frames are read.

    Args:
        classifier: the models.
        source: the video, its span or record; `options` begin and end within it.
        options: how the video is read; `max_frames` and `batch_size` do not count.
        on_damage: gets the counts of damaged and missing frames at the end, if there
            are any.

    Yields:
        Scores of each place, whose `seconds` follow each other without a gap.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read.
    """
    recipe = options.recipe or classifier.recipe
    source, reader, start = open_part(source, recipe, options)
    places = Places(classifier, start, _PART)

    def run(batch):
        return [places.add({name: clips[0] for name, clips in batch.items()})]

    # As a stream does at its end, "pad" repeats the last frame up to 8.
    windows, count = Windows(TIME_STRIDE, tail="pad"), 0
    for item, found in run_windows([source], run, windows, reader, batch_size=1):
        if isinstance(item, Window):
            count = item.first + item.count
            yield from found
            continue
        if count:
            yield from places.finish(count)
        if item.error:
            raise ValueError(f"{os.fspath(source.path)}: {item.error}")
        if not count:
            raise ValueError(f"{source.path}: has too few frames")
        if item.damage:
            on_damage(item.damage)
