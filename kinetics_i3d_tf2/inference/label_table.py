"""Tables of labels, written as videos are done and resumable at any time."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from absl import logging

from ..arguments import suggest_arguments
from ..data.sources import Input
from ..utils import files, fingerprint, run_dir
from ..utils.journal import Journal, JsonRows
from .label_rows import row_format
from .label_steps import DEFAULT, Labelled, TableOptions, label

if TYPE_CHECKING:
    from .classifier import Classifier


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
    on_row: Callable[[Labelled], object] = lambda row: None,
) -> LabelReport:
    """Writes the labels of many videos as a table.

    Args:
        classifier: the models.
        inputs: videos, spans and records, as of `data.sources.find`.
        out: the table, `.csv` or `.jsonl`. Rows are appended as they are made. What is
            done, and with which settings, is also in OUT.progress: called again, it
            goes on after the videos that are done and have not changed since.
        options: how videos are read, and what is written.
        resume: keep what an earlier run has done; else all is done again.
        on_row: called with each new step, as `label` yields it.

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
    path = os.fspath(out) if files.is_address(out) else os.path.abspath(out)
    folder, name = os.path.split(path)
    with (
        run_dir.only_run(folder, lock=f".{name}.lock"),
        Journal(f"{os.fspath(out)}.progress", JsonRows()) as progress,
    ):
        if not resume:
            progress.replace(progress.rows[:1])
        done = _done_before(out, progress, _settings(classifier, options), inputs)
        report = LabelReport(len(inputs), len(done))
        _write_rows(out, codec, _in_order(inputs, done))
        left = [each for each in inputs if each.name not in done]
        # Before they are read: a file may change at any time.
        fingerprints = fingerprint.of_files(each.source.path for each in left)
        rows = []
        with Journal(out, codec) as table:
            for step in label(classifier, left, options, total=len(inputs)):
                on_row(step)
                if step.row is not None:
                    rows.append(step.row)
                    table.append(codec.convert(step.row))
                    continue
                name = step.input.name
                done[name] = progress.append(
                    {
                        "name": name,
                        "fingerprint": fingerprints[step.input.source.path],
                        "rows": rows,
                        "error": step.error,
                        "cut": step.is_cut,
                        "damage": step.damage,
                    }
                )
                rows = []
        if report.done_before and left:  # The order is that of the inputs.
            _write_rows(out, codec, _in_order(inputs, done))
    for name, entry in done.items():
        report.add(name, entry["error"], entry["cut"], entry.get("damage", ""))
    return report


def _settings(classifier, options):
    names = ("start", "end", "max_frames", "top", "window", "stride")
    recipe = options.recipe or classifier.recipe
    return {
        "weights": classifier.fingerprint(),
        **{name: getattr(options, name) for name in names},
        "flow_epsilon": recipe.flow_epsilon if "flow" in recipe.streams else None,
        "image_fps": recipe.reading.image_fps,
    }


def _done_before(out, progress, settings, inputs):
    """What an earlier run has done of the inputs, by name."""
    if not progress.rows:
        if files.exists(out) and files.size(out):
            raise ValueError(
                f"{out}: is there already, and was not written by this program, or its "
                f"{os.path.basename(out)}.progress is gone; delete it, or name another"
            )
        progress.append({"settings": settings})
        return {}
    before = progress.rows[0].get("settings", {})
    # As JSON has them: lists instead of tuples.
    for change in run_dir.differences(before, json.loads(json.dumps(settings))):
        raise run_dir.other_settings(out, "the table", change)
    entries = {row["name"]: row for row in progress.rows[1:]}
    known = [each for each in inputs if each.name in entries]
    now = fingerprint.of_files(each.source.path for each in known)
    done = {
        each.name: entries[each.name]
        for each in known
        if entries[each.name]["fingerprint"] == now[each.source.path] != ""
    }
    if done:
        logging.info("%d of %d videos were done before", len(done), len(inputs))
    if len(done) < len(known):
        count = len(known) - len(done)
        logging.info("%d videos have changed since, and are labelled again", count)
    return done


def _in_order(inputs, done):
    for each in inputs:
        if each.name in done:
            yield from done[each.name]["rows"]


def _write_rows(out, codec, rows: Iterable[dict]):
    with files.atomic_writer(out) as temporary, open(temporary, "wb") as file:
        file.write(codec.header.encode())
        for row in rows:
            line = codec.encode(codec.convert(row))
            file.write(line.encode("utf-8", "surrogateescape"))
