"""Scores of many videos, and of one over time, with reading ahead of the models."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data import clip_frames, clip_reader, prefetch, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..data.sources import Input
from ..utils.cores import num_cores
from ..utils.errors import problem_of
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .frames import MAX_FRAMES, MAX_WHOLE, LongVideo
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
    found = []
    try:
        if (long := _long_video(each.source, recipe, options)) is not None:
            place = Scores(np.empty(0), (), {}, (0.0, 0.0), len(long))
            yield VideoScores(each, place, "", long.announced > len(long)), None
            return
        clip, place, is_cut = _whole_clip(each.source, recipe, options, found.append)
    except Exception as error:  # One bad video must not stop the others.
        yield VideoScores(each, None, problem_of(error, each.source.path)), None
        return
    damage = found[0] if found else None
    yield VideoScores(each, place, "", is_cut, damage), clip


def _long_video(source, recipe, options, on_damage=None):
    """A video's frames if there are too many to hold, else None."""
    limit = options.max_frames
    if isinstance(source, Record) or (limit is not None and limit <= MAX_WHOLE):
        return None
    start, end = _span(source, options)
    long = LongVideo(
        source.path,
        start=start,
        end=end,
        max_frames=limit,
        recipe=recipe,
        on_damage=on_damage,
    )
    return long if len(long) > MAX_WHOLE else None


def _classify_long(classifier, result, recipe, options):
    """Scores of a video that is too long to hold, read as the models run."""
    source, found = result.input.source, []
    try:
        long = _long_video(source, recipe, options, found.append)
        done = classifier.run_frames(long, recipe=recipe)
    except Exception as error:  # One bad video must not stop the others.
        return result._replace(scores=None, error=problem_of(error, source.path))
    start, _ = _span(source, options)
    count = done.num_frames
    place = Scores(np.empty(0), (), {}, (start, start + count / FRAME_RATE), count)
    logits = [outputs["Logits"][0] for outputs in done.outputs.values()]
    scores = scores_at(classifier, logits, place)
    return result._replace(scores=scores, damage=found[-1] if found else None)


def _span(source, options):
    """First second and end of what is read of a video."""
    if source.start is not None or source.end is not None:
        return source.start or 0.0, source.end
    return options.start, options.end


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
    start, end = _span(source, options)
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


def part_of(source: Clip | Record, options: LabellingOptions) -> Clip | Record:
    """The part of a video that is seen over time.

    Args:
        source: the video, its span or record.
        options: begin and end within a span; a record is seen whole.
    """
    if not isinstance(source, Clip):
        return source
    start = source.start or 0.0
    ends = [source.end, None if options.end is None else start + options.end]
    return source._replace(
        start=start + options.start,
        end=min((end for end in ends if end is not None), default=None),
    )


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
