"""Tables of labels, written as videos are done and resumable at any time."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ...arguments import suggest_arguments
from ...data.sources import Input
from ...utils import files, run_dir
from ...utils.journal import Journal
from .progress import LabelProgress
from .rows import row_format
from .steps import DEFAULT, Labelled, TableOptions, label

if TYPE_CHECKING:
    from ..classifier import Classifier


@dataclasses.dataclass
class LabelReport:
    """What became of the videos.

    Attributes:
        total: number of videos.
        done_before: how many an earlier run had done.
        errors: reasons of those that could not be labelled, by name.
        num_failed: how many those are.
        num_cut: how many go on after what was seen of them.
        num_damaged: how many have damaged or missing frames, and were labelled.
    """

    total: int
    done_before: int = 0
    errors: dict[str, str] = dataclasses.field(default_factory=dict)
    num_failed: int = 0
    num_cut: int = 0
    num_damaged: int = 0

    def add(self, name: str, error: str, is_cut: bool, damage: str) -> None:
        """Counts a video that is done."""
        if error:
            self.errors[name] = error
            self.num_failed += 1
        self.num_cut += is_cut
        self.num_damaged += bool(damage)


@suggest_arguments
def write_labels(
    classifier: "Classifier",
    inputs: Sequence[Input],
    out: str | os.PathLike,
    options: TableOptions = DEFAULT,
    *,
    resume: bool = True,
    keep_scores: bool = False,
    on_row: Callable[[Labelled], object] = lambda row: None,
) -> LabelReport:
    """Writes the labels of many videos as a table.

    Args:
        classifier: the models.
        inputs: videos, spans and records, as of `data.sources.find`.
        out: the table, `.csv` or `.jsonl`. Rows are appended as they are made. What is
            done, and with which settings, is also in OUT.progress: called again, it
            goes on after the videos, and the windows of a video, that are done, if the
            videos have not changed since.
        options: how videos are read, and what is written.
        resume: keep what an earlier run has done; else all is done again.
        keep_scores: keep the scores of windows in OUT.progress too, for `on_row`.
        on_row: called with each step, as `label` yields it; with `keep_scores` also
            with the windows of videos that an earlier run has done.

    Returns:
        Counts, and the errors. A video that cannot be read has a row with the reason.

    Raises:
        OSError: the table cannot be written.
        ValueError: its suffix is another, it was begun with other settings, or the file
            was not written by this function.

    Examples:
        >>> classifier = Classifier("rgb_imagenet")
        >>> write_labels(classifier, find(["videos"]), "labels.csv").errors
        {}
    """
    codec = row_format(out, options.top)
    folder, name = os.path.split(files.absolute(out))
    settings = _settings(classifier, options)
    with (
        run_dir.only_run(folder, lock=f".{name}.lock"),
        LabelProgress(
            out, settings, inputs, resume=resume, keep_scores=keep_scores
        ) as progress,
    ):
        report = LabelReport(len(inputs), len(progress.done))
        _write_rows(out, codec, progress.rows())
        left = [each for each in inputs if each.name not in progress.done]
        begun = {each.name: progress.windows(each, classifier) for each in left}
        for each in inputs if keep_scores else ():
            if each.name in progress.done:
                for step in progress.windows(each, classifier):
                    on_row(step)
        steps = label(classifier, left, options, begun=begun, total=len(inputs))
        with Journal(out, codec) as table:
            for step in steps:
                on_row(step)
                if step.row is not None:
                    table.append(codec.convert(step.row))
                if not step.is_new:
                    continue
                if not options.is_over_time or step.scores is None:
                    progress.add(step)
                else:
                    progress.add_window(step)
        if report.done_before and left:  # The order is that of the inputs.
            _write_rows(out, codec, progress.rows())
        for end in progress.ends():
            report.add(*end)
    return report


def _settings(classifier, options):
    names = ("start", "end", "max_frames", "top", "window", "stride", "dense")
    recipe = options.recipe or classifier.recipe
    return {
        "weights": classifier.fingerprint(),
        **{name: getattr(options, name) for name in names},
        "flow_epsilon": recipe.flow_epsilon if "flow" in recipe.streams else None,
        "image_fps": recipe.reading.image_fps,
    }


def _write_rows(out, codec, rows: Iterable[dict]):
    with files.atomic_writer(out) as temporary, open(temporary, "wb") as file:
        file.write(codec.header.encode())
        for row in rows:
            line = codec.encode(codec.convert(row))
            file.write(line.encode("utf-8", "surrogateescape"))
