"""Videos and records that are seen at once: read ahead, or in pieces if too long."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..data import clip_frames, clip_streams, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.preprocessing import Streams
from ..data.records.tfrecord import Record
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .frames import MAX_WHOLE, LongVideo, find_long
from .streaming import long_clips, pieces

if TYPE_CHECKING:
    from .classifier import Classifier
    from .labelling import LabellingOptions


class WholeClip(NamedTuple):
    """A clip for the models.

    Attributes:
        streams: `(frames, height, width, channels)` by name; None of one that is too
            long to hold.
        start: second of the video at which it begins.
        count: its frames; of one that is too long to hold, as the file announces it.
        is_cut: whether the video goes on after it.
        damage: counts of damaged and missing frames, if there are any.
    """

    streams: Streams | None
    start: float
    count: int
    is_cut: bool = False
    damage: Damage | None = None

    @property
    def seconds(self) -> tuple[float, float]:
        """Where it is in the video."""
        return self.start, self.start + self.count / FRAME_RATE


def read(
    source: Clip | Record, recipe: ClipRecipe, options: "LabellingOptions"
) -> WholeClip:
    """Reads a clip for the models, unless it is too long to hold.

    Args:
        source: the video, its span or record.
        recipe: how frames are prepared.
        options: the part of the video.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read, or is too short for optical flow.
    """
    if isinstance(source, Record):
        return _read_record(source, recipe, options.max_frames)
    start, end = _span(source, options)
    limit, found = options.max_frames, []
    span = {"start": start, "end": end}
    if long := find_long(source.path, max_frames=limit, recipe=recipe, **span):
        return WholeClip(None, start, len(long), long.announced > len(long))
    # One more than wanted tells whether something is left out.
    decoded = clip_frames.iter_frames(
        source.path,
        recipe,
        on_damage=found.append,
        max_frames=None if limit is None else limit + 1,
        **span,
    )
    frames = list(preprocessing.resize(decoded, recipe.short_side))
    _check_flow(recipe, len(frames))
    is_cut = limit is not None and len(frames) > limit
    frames = frames[:limit]
    streams = preprocessing.compact_input(frames, recipe)
    return WholeClip(streams, start, len(frames), is_cut, found[0] if found else None)


def run_long(
    classifier: "Classifier",
    source: Clip | Record,
    recipe: ClipRecipe,
    options: "LabellingOptions",
) -> tuple[long_clips.Run, WholeClip]:
    """Runs the models on a clip that is too long to hold, as it is read.

    Args:
        classifier: the models.
        source: as of `read`, and so are the others.
        recipe: how frames are prepared.
        options: the part of the video.

    Returns:
        What the models gave, and the clip without streams.

    Raises:
        OSError: as of `read`.
        ValueError: as of `read`.
    """
    if isinstance(source, Record):
        models = classifier.long_models()
        done = run_source(models, source, recipe, max_frames=options.max_frames)
        return done, WholeClip(None, 0.0, done.num_frames)
    found = []
    start, end = _span(source, options)
    long = LongVideo(
        source.path,
        start=start,
        end=end,
        max_frames=options.max_frames,
        recipe=recipe,
        on_damage=found.append,
    )
    done = classifier.run_frames(long, recipe=recipe)
    is_cut, damage = long.announced > len(long), found[-1] if found else None
    return done, WholeClip(None, start, done.num_frames, is_cut, damage)


def run_source(
    models: Mapping[str, long_clips.LongClipModel],
    source: Clip | Record,
    recipe: ClipRecipe,
    change: Callable[[Streams], Streams] = lambda streams: streams,
    *,
    max_frames: int | None = None,
) -> long_clips.Run:
    """Runs models on the frames of a video or record of any length, as they are read.

    Args:
        models: by stream.
        source: the video, its span or record.
        recipe: how frames are prepared.
        change: applied to the streams of each frame.
        max_frames: frames to use, at most; None is all.

    Returns:
        The logits of each stream.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read.
    """
    reader = FrameReader(recipe, keep_last=True, max_frames=max_frames)
    total, of_streams = reader.count(source), reader.counts(source)

    def attempt(count):
        counts = {name: n + count - total for name, n in of_streams.items()}
        return long_clips.run(models, map(change, reader.read(source)), counts)

    return pieces.with_right_count(attempt, total)


def _read_record(record, recipe, max_frames):
    reader = clip_streams.open_clip(record, recipe)
    is_cut = reader.cut(max_frames)
    if (count := max(reader.counts().values())) > MAX_WHOLE:
        return WholeClip(None, 0.0, count, is_cut)
    _check_flow(recipe, len(reader) + 1)
    streams = preprocessing.center_crop(reader.read(0, None), recipe.crop_size)
    count = len(next(iter(streams.values())))
    return WholeClip(preprocessing.loop(streams, recipe), 0.0, count, is_cut)


def _check_flow(recipe, num_frames):
    if "flow" in recipe.streams and num_frames < 2:
        raise ValueError("gives one frame, and optical flow needs two")


def _span(source, options):
    """First second and end of what is read of a video."""
    if source.start is not None or source.end is not None:
        return source.start or 0.0, source.end
    return options.start, options.end
