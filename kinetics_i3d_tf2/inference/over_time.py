"""Scores of one window of a video after another."""

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..models.architecture import MIN_FRAMES
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .labelling import DEFAULT, LabellingOptions, open_part, run_batch, scores_at
from .scores import Scores
from .videos import run_windows
from .windows import Window, Windows

if TYPE_CHECKING:
    from .classifier import Classifier


def over_time(
    classifier: "Classifier",
    source: Clip | Record,
    window: float,
    stride: float | None = None,
    options: LabellingOptions = DEFAULT,
    *,
    on_damage: Callable[[Damage], object] = lambda damage: None,
    skip: int = 0,
) -> Iterator[Scores]:
    """Classifies window after window of a video, holding few windows in memory.

    Args:
        classifier: the models.
        source: the video, its span or record; `options` begin and end within it.
        window: length of a window in seconds, at least 0.36 (9 frames).
        stride: seconds from the beginning of a window to that of the next; by default
            `window`. Both are rounded to frames of 1/25 second.
        options: how the video is read and run; `max_frames` does not count.
        on_damage: gets the counts of damaged and missing frames at the end, if there
            are any.
        skip: windows to leave out at the beginning, at most all but the last. Their
            frames are only decoded.

    Yields:
        Scores of each window; `seconds` are those of the video. Frames at the end that
        fill no window are looped until they do, as the release loops short clips; their
        `frames` are those that there are.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read, or the windows are too short.
    """
    windows = windows_of_seconds(window, stride)
    first_frame = skip * windows.step
    recipe = options.recipe or classifier.recipe
    source, reader, start = open_part(source, recipe, options, skip=first_frame)
    outputs = run_windows(
        [source],
        functools.partial(run_batch, classifier),
        windows,
        reader,
        batch_size=options.batch_size,
    )
    first = next(outputs)
    for item, logits in itertools.chain([first], outputs):
        if isinstance(item, Window):
            frames = first_frame + item.first + np.array([0, item.count])
            times = frames / FRAME_RATE + start
            place = Scores(logits, (), {}, tuple(times.tolist()), item.count)
            yield scores_at(classifier, logits, place)
        elif item.error:
            raise ValueError(f"{os.fspath(source.path)}: {item.error}")
        elif not isinstance(first[0], Window):
            raise ValueError(f"{source.path}: has too few frames")
        elif item.damage:
            on_damage(item.damage)


def windows_of_seconds(window: float, stride: float | None = None) -> Windows:
    """Windows whose lengths are given in seconds.

    Raises:
        ValueError: they are shorter than the models take, or the stride than a frame.
    """
    length = round(window * FRAME_RATE)
    step = None if stride is None else round(stride * FRAME_RATE)
    if length < MIN_FRAMES:
        raise ValueError(
            f"A window needs at least {MIN_FRAMES / FRAME_RATE:g} seconds, the "
            f"{MIN_FRAMES} frames that the models take. Received: {window:g}"
        )
    if step is not None and step < 1:
        raise ValueError(
            f"The stride must be at least a frame, 0.04 seconds. Received: {stride:g}"
        )
    return Windows(length, step)
