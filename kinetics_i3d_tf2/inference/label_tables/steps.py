"""Labels of many videos or of their windows, step by step."""

import contextlib
import dataclasses
import itertools
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import logging

from ...arguments import suggest_arguments
from ...data import clip_frames
from ...data.clip_recipe import ClipRecipe
from ...data.clips import Clip
from ...data.sources import Input
from ...models.architecture import TIME_STRIDE
from ...utils import files
from ...utils.errors import reason
from ...utils.progress import Bar
from .. import dense_scores, labelling, over_time
from ..labelling import LabellingOptions
from ..scores import Scores
from .rows import make_row

if TYPE_CHECKING:
    from ..classifier import Classifier


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class TableOptions(LabellingOptions):
    """What is written of each video.

    Attributes:
        top: number of classes to give, best first.
        window: seconds of a window; None is one row for each video.
        stride: seconds from one window to the next; by default `window`.
        dense: a row for each place in time, 8 frames, by dense logits; without windows.
    """

    top: int = 5
    window: float | None = None
    stride: float | None = None
    dense: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.top < 1:
            raise ValueError(f"top must be at least 1. Received: {self.top}")
        if self.dense and self.window is not None:
            raise ValueError(f"dense has no windows. Received: {self.window:g} seconds")
        if self.window is not None:
            over_time.windows_of_seconds(self.window, self.stride)
        elif self.stride is not None:
            raise ValueError("stride is for windows, and no window is given")

    @property
    def is_over_time(self) -> bool:
        """Whether a video has several rows."""
        return self.dense or self.window is not None


class Labelled(NamedTuple):
    """A step of labelling: a row, or the end of a video.

    Attributes:
        input: the video.
        scores: of the video or of its next window; None of an error and at the end.
        row: what `make_row` makes of them; None at the end.
        error: why the video, or its rest, could not be labelled.
        is_cut: whether the video goes on after what was seen.
        damage: what of the video is damaged or missing.
        is_new: whether this run made it.
    """

    input: Input
    scores: Scores | None = None
    row: dict | None = None
    error: str = ""
    is_cut: bool = False
    damage: str = ""
    is_new: bool = True


DEFAULT = TableOptions()


def label(
    classifier: "Classifier",
    inputs: Sequence[Input],
    options: TableOptions = DEFAULT,
    *,
    begun: Mapping[str, Sequence[Labelled]] = types.MappingProxyType({}),
    total: int | None = None,
    progress: bool = True,
) -> Iterator[Labelled]:
    """Labels videos; what cannot be read is logged.

    Args:
        classifier: the models.
        inputs: the videos.
        options: how they are read, and what rows give.
        begun: by the name of its input, the windows that an earlier run made of a
            video, from the first on.
        total: number of videos for the progress bar, if some were done before.
        progress: show a progress bar on standard error.

    Yields:
        The rows of each video, then its end.
    """
    top, unit = options.top, _unit(inputs, options)
    with _bar(inputs, total or len(inputs), options, progress) as bar:
        for step in _score(classifier, inputs, options, begun):
            each, damage = step.input, step.damage
            if step.scores is not None or step.row is not None:
                row = step.row or make_row(
                    each.source.path, top, step.scores, damage=damage
                )
                yield step._replace(row=row)
                bar.update(unit == "window")
                continue
            if step.error:  # Damage is logged where the video is read.
                logging.warning("%s: %s", files.redact(each.source.path), step.error)
            if step.error or (damage and options.is_over_time):
                row = make_row(
                    each.source.path, top, None, error=step.error, damage=damage
                )
                yield Labelled(each, None, row)
            yield step
            bar.update(unit == "video")


def _score(classifier, inputs, options, begun):
    """Yields the scores of each video or of its windows, without rows, and its end."""
    if not options.is_over_time:
        results = labelling.classify_many(classifier, inputs, options)
        with contextlib.closing(results):
            for each, scores, error, is_cut, damage in results:
                damage = str(damage or "")
                if scores is not None:
                    yield Labelled(each, scores, damage=damage)
                yield Labelled(each, None, None, error, is_cut, damage)
        return
    for each in inputs:
        before, error, found = begun.get(each.name, ()), "", []
        yield from before
        rows = _rows(classifier, each.source, options, len(before), found.append)
        try:
            for window in rows:
                yield Labelled(each, window)
        except MemoryError:  # The machine's; its text says what to lower.
            raise
        except Exception as caught:  # One bad video must not stop the others.
            error = reason(caught, each.source.path)
        yield Labelled(each, None, None, error, False, " ".join(map(str, found)))


def _rows(classifier, source, options, done, on_damage):
    """Scores of a video over time, after those that are done."""
    if options.dense:
        # The layers' halos are of all frames before.
        rows = dense_scores.dense_over_time(
            classifier, source, options, on_damage=on_damage
        )
        return itertools.islice(rows, done, None)
    # From the last of them on, to see whether another follows, in the same batches.
    skip = max(done - 1, 0) // options.batch_size * options.batch_size
    rows = over_time.over_time(
        classifier,
        source,
        options.window,
        options.stride,
        options,
        on_damage=on_damage,
        skip=skip,
    )
    return itertools.islice(rows, done - skip, None)


def _unit(left, options):
    return "window" if options.is_over_time and len(left) == 1 else "video"


def _bar(left, total, options, progress):
    """Counts the windows of a single long video, else videos."""
    if not progress:
        return Bar(disable=True)
    if _unit(left, options) == "window":
        count = None
        if isinstance(left[0].source, Clip):
            path, start, end = (getattr(left[0].source, n) for n in _SPAN)
            with contextlib.suppress(Exception):  # Reading it reports the error.
                frames = clip_frames.num_frames(
                    path,
                    options.recipe or ClipRecipe(),
                    start=start or options.start,
                    end=end,
                )
                count = _num_rows(frames, options)
        return Bar(desc="Classifying", total=count, unit="window")
    return Bar(
        desc="Classifying", total=total, initial=total - len(left), unit="video",
        smoothing=0,
    )  # fmt: skip


def _num_rows(frames, options):
    if options.dense:
        return max(1, -(-frames // TIME_STRIDE) - 1)
    windows = over_time.windows_of_seconds(options.window, options.stride)
    return windows.count(frames)


_SPAN = ("path", "start", "end")
