"""Scores of many videos, and of one over time, with reading ahead of the models."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data import prefetch, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.records.tfrecord import Record
from ..data.sources import Input
from ..utils.cores import num_cores
from ..utils.errors import problem_of
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from . import whole_clips
from .frames import MAX_FRAMES
from .scores import Scores, joint_logits

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
        start: second of each video to begin at; spans of inputs, and records, have
            their own.
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
    run = functools.partial(run_batch, classifier)
    for result, logits in prefetch.in_batches(run, items, options.batch_size):
        if result.scores is not None and logits is None:
            yield _classify_long(classifier, result, recipe, options)
        elif logits is None:
            yield result
        else:
            scores = scores_at(classifier, logits, result.scores)
            yield result._replace(scores=scores)


def _read_whole(each, recipe, options):
    """Yields a video without its logits, and its clip; or its error, and None.

    A video that is too long to hold has neither error nor clip.
    """
    try:
        clip = whole_clips.read(each.source, recipe, options)
    except Exception as error:  # One bad video must not stop the others.
        yield VideoScores(each, None, problem_of(error, each.source.path)), None
        return
    yield VideoScores(each, _place(clip), "", clip.is_cut, clip.damage), clip.streams


def _classify_long(classifier, result, recipe, options):
    """Scores of a video that is too long to hold, read as the models run."""
    source = result.input.source
    try:
        done, clip = whole_clips.run_long(classifier, source, recipe, options)
    except Exception as error:  # One bad video must not stop the others.
        return result._replace(scores=None, error=problem_of(error, source.path))
    logits = [outputs["Logits"][0] for outputs in done.outputs.values()]
    scores = scores_at(classifier, logits, _place(clip))
    return result._replace(scores=scores, damage=clip.damage)


def _place(clip):
    """Scores without logits, of the part of the video that a clip is."""
    return Scores(np.empty(0), (), {}, clip.seconds, clip.count)


def open_part(
    source: Clip | Record,
    recipe: ClipRecipe,
    options: LabellingOptions,
    *,
    skip: int = 0,
) -> tuple[Clip | Record, FrameReader, float]:
    """The part of a video that is seen over time.

    Args:
        source: the video, its span or record.
        recipe: how frames are prepared.
        options: begin and end within a span or a record.
        skip: frames to leave out at the beginning, as of `FrameReader`.

    Returns:
        The source, its reader, and the second at which it begins.
    """
    if isinstance(source, Record):
        first = round(options.start * FRAME_RATE)
        count = None
        if options.end is not None:
            count = round(options.end * FRAME_RATE) - first - skip
        reader = FrameReader(recipe, skip=first + skip, max_frames=count)
        return source, reader, first / FRAME_RATE
    start = source.start or 0.0
    ends = [source.end, None if options.end is None else start + options.end]
    part = source._replace(
        start=start + options.start,
        end=min((end for end in ends if end is not None), default=None),
    )
    return part, FrameReader(recipe, skip=skip), part.start


def run_batch(classifier, clips):
    """Logits of a batch of clips, `(batch, streams, classes)`."""
    clips = preprocessing.normalize(clips)
    outputs = classifier.run(clips, ("Logits",), frozen=True)
    return np.stack([values["Logits"] for values in outputs.values()], axis=1)


def scores_at(classifier, logits, place):
    """Scores of logits `(streams, classes)`, of the part of the video in `place`."""
    streams = dict(zip(classifier.models, logits, strict=True))
    return dataclasses.replace(
        place,
        logits=joint_logits(streams),
        class_names=classifier.class_names,
        streams=streams,
        activation=classifier.activation,
    )
