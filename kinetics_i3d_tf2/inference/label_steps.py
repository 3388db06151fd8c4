"""Labels of many videos or of their windows, step by step."""

import contextlib
import dataclasses
import itertools
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import logging

from ..arguments import suggest_arguments
from ..data import clip_frames
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.sources import Input
from ..utils import files
from ..utils.errors import reason
from ..utils.progress import Bar
from . import labelling, over_time
from .label_rows import make_row
from .labelling import LabellingOptions
from .scores import Scores

if TYPE_CHECKING:
    from .classifier import Classifier


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class TableOptions(LabellingOptions):
    """What is written of each video.

    Attributes:
        top: number of classes to give, best first.
        window: seconds of a window; None is one row for each video.
        stride: seconds from one window to the next; by default `window`.
    """

    top: int = 5
    window: float | None = None
    stride: float | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.top < 1:
            raise ValueError(f"top must be at least 1. Received: {self.top}")
        if self.window is not None:
            over_time.windows_of_seconds(self.window, self.stride)
        elif self.stride is not None:
            raise ValueError("stride is for windows, and no window is given")


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
            if step.error or (damage and options.window is not None):
                row = make_row(
                    each.source.path, top, None, error=step.error, damage=damage
                )
                yield Labelled(each, None, row)
            yield step
            bar.update(unit == "video")


def _score(classifier, inputs, options, begun):
    """Yields the scores of each video or of its windows, without rows, and its end."""
    if options.window is None:
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
        # From the last of them on, to see whether another follows, in the same batches.
        skip = max(len(before) - 1, 0) // options.batch_size * options.batch_size
        try:
            windows = over_time.over_time(
                classifier,
                each.source,
                options.window,
                options.stride,
                options,
                on_damage=found.append,
                skip=skip,
            )
            for window in itertools.islice(windows, len(before) - skip, None):
                yield Labelled(each, window)
        except MemoryError:  # The machine's; its text says what to lower.
            raise
        except Exception as caught:  # One bad video must not stop the others.
            error = reason(caught, each.source.path)
        yield Labelled(each, None, None, error, False, " ".join(map(str, found)))


def _unit(left, options):
    return "window" if options.window is not None and len(left) == 1 else "video"


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
                windows = over_time.windows_of_seconds(options.window, options.stride)
                count = windows.count(frames)
        return Bar(desc="Classifying", total=count, unit="window")
    return Bar(
        desc="Classifying", total=total, initial=total - len(left), unit="video",
        smoothing=0,
    )  # fmt: skip


_SPAN = ("path", "start", "end")
