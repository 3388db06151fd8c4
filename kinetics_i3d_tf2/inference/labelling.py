"""Scores of many videos, and of one over time, with reading ahead of the models."""

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data import clip_frames, clip_reader, prefetch, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.records.tfrecord import Record
from ..data.sources import Input
from ..models.architecture import MIN_FRAMES
from ..utils.cores import num_cores
from ..utils.errors import problem_of
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .frames import MAX_FRAMES
from .scores import Scores, joint_logits
from .videos import run_windows
from .windows import Window, Windows

if TYPE_CHECKING:
    from .classifier import Classifier


@suggest_arguments
class VideoScores(NamedTuple):
    """What is known of one of many videos.

    Attributes:
        input: the video, its span or record, with a name that is unique.
        scores: its scores; None of a video that could not be classified.
        error: why not, on one line; "" of one that was.
        is_cut: whether the video goes on after what was scored.
        damage: counts of damaged and missing frames, if there are any.
    """

    input: Input
    scores: Scores | None = None
    error: str = ""
    is_cut: bool = False
    damage: Damage | None = None


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class LabellingOptions:
    """How videos are read and run.

    Attributes:
        start: second of each video to begin at; spans of inputs have their own.
        end: second to end at; None is the end of the video.
        max_frames: frames to use of a video that is seen at once, at 25 per second;
            None uses all.
        batch_size: clips of the same length that go through the models at once.
        num_readers: videos that are read at once; by default one for each processor.
        recipe: how frames are prepared; by default as the classifier does.

    Raises:
        ValueError: a value is out of range.
    """

    start: float = 0.0
    end: float | None = None
    max_frames: int | None = MAX_FRAMES
    batch_size: int = 1
    num_readers: int | None = None
    recipe: ClipRecipe | None = None

    def __post_init__(self):
        if not 0 <= self.start < (float("inf") if self.end is None else self.end):
            raise ValueError(
                "start must be at least 0 and end above it, in seconds. Received: "
                f"{self.start}, {self.end}"
            )
        for name in ("max_frames", "batch_size", "num_readers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1. Received: {value}")


DEFAULT = LabellingOptions()


def classify_many(
    classifier: "Classifier",
    inputs: Sequence[Input],
    options: LabellingOptions = DEFAULT,
) -> Iterator[VideoScores]:
    """Classifies many videos, each seen at once.

    Args:
        classifier: the models.
        inputs: videos, spans and records, as of `data.sources.find`.
        options: how they are read and run.

    Yields:
        For each input its scores or its error, in order. A video that cannot be read is
        no reason to stop.

    Raises:
        MemoryError: a clip is too large for the models, or the machine's memory ran
            out.
    """
    recipe = options.recipe or classifier.recipe
    readers = (functools.partial(_read_whole, each, recipe, options) for each in inputs)
    # One more, so that as many are read while a clip is being used.
    threads = (options.num_readers or num_cores()) + 1
    items = prefetch.in_threads(readers, threads=threads, buffer_size=1)
    run = functools.partial(_run, classifier)
    for result, logits in prefetch.in_batches(run, items, options.batch_size):
        if logits is None:
            yield result
        else:
            scores = _scores(classifier, logits, result.scores)
            yield result._replace(scores=scores)


def over_time(
    classifier: "Classifier",
    source: Clip | Record,
    window: float,
    stride: float | None = None,
    options: LabellingOptions = DEFAULT,
    *,
    on_damage: Callable[[Damage], object] = lambda damage: None,
) -> Iterator[Scores]:
    """Classifies window after window of a video, holding few windows in memory.

    Args:
        classifier: the models.
        source: the video, its span or record; `options` begin and end within a span.
        window: length of a window in seconds, at least 0.36 (9 frames).
        stride: seconds from the beginning of a window to that of the next; by default
            `window`. Both are rounded to frames of 1/25 second.
        options: how the video is read and run; `max_frames` does not count.
        on_damage: gets the counts of damaged and missing frames at the end, if there
            are any.

    Yields:
        Scores of each window; `seconds` are those of the video. Frames at the end that
        fill no window are looped until they do, as the release loops short clips; their
        `frames` are those that there are.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read, or the windows are too short.
    """
    windows = windows_of_seconds(window, stride)
    if isinstance(source, Clip):
        start = source.start or 0.0
        ends = [source.end, None if options.end is None else start + options.end]
        source = source._replace(
            start=start + options.start,
            end=min((e for e in ends if e is not None), default=None),
        )
    reader = FrameReader(options.recipe or classifier.recipe)
    outputs = run_windows(
        [source],
        functools.partial(_run, classifier),
        windows,
        reader,
        batch_size=options.batch_size,
    )
    start = getattr(source, "start", None) or 0.0
    first = next(outputs)
    for item, logits in itertools.chain([first], outputs):
        if isinstance(item, Window):
            times = np.array([item.first, item.first + item.count]) / FRAME_RATE + start
            place = Scores(logits, (), {}, tuple(times.tolist()), item.count)
            yield _scores(classifier, logits, place)
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


def _read_whole(each, recipe, options):
    """Yields a video without its logits, and its clip; or its error, and None."""
    found = []
    try:
        clip, place, is_cut = _whole_clip(each.source, recipe, options, found.append)
    except Exception as error:  # One bad video must not stop the others.
        yield VideoScores(each, None, problem_of(error, each.source.path)), None
        return
    damage = found[0] if found else None
    yield VideoScores(each, place, "", is_cut, damage), clip


def _whole_clip(source, recipe, options, on_damage):
    """A clip for the models, where it is in the video, and whether that goes on."""
    if isinstance(source, Record):
        streams, _ = clip_reader.whole_clip(source, recipe)
        count, start, is_cut = len(next(iter(streams.values()))), 0.0, False
        streams = preprocessing.loop(
            preprocessing.center_crop(streams, recipe.crop_size), recipe
        )
    else:
        frames, start, is_cut = _read_frames(source, recipe, options, on_damage)
        count = len(frames)
        streams = preprocessing.compact_input(frames, recipe)
    seconds = (start, start + count / FRAME_RATE)
    return streams, Scores(np.empty(0), (), {}, seconds, count), is_cut


def _read_frames(source, recipe, options, on_damage):
    is_span = source.start is not None or source.end is not None
    start = (source.start or 0.0) if is_span else options.start
    end = source.end if is_span else options.end
    limit = options.max_frames
    # One more than wanted tells whether something is left out.
    decoded = clip_frames.iter_frames(
        source.path,
        recipe,
        on_damage=on_damage,
        start=start,
        end=end,
        max_frames=None if limit is None else limit + 1,
    )
    frames = list(preprocessing.resize(decoded, recipe.short_side))
    if "flow" in recipe.streams and len(frames) < 2:
        raise ValueError("gives one frame, and optical flow needs two")
    is_cut = limit is not None and len(frames) > limit
    return frames[:limit], start, is_cut


def _run(classifier, clips):
    """Logits of a batch of clips, `(batch, streams, classes)`."""
    clips = preprocessing.normalize(clips)
    outputs = classifier.run(clips, ("Logits",), frozen=True)
    return np.stack([values["Logits"] for values in outputs.values()], axis=1)


def _scores(classifier, logits, place):
    streams = dict(zip(classifier.models, logits, strict=True))
    return dataclasses.replace(
        place,
        logits=joint_logits(streams),
        class_names=classifier.class_names,
        streams=streams,
    )
