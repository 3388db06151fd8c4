"""What `i3d classify` does with many videos, and with windows of long ones."""

import functools
import os
import sys

from absl import logging

from ..data import clip_streams, sources
from ..data.clip_recipe import ClipRecipe
from ..data.records.tfrecord import Record
from ..inference import segments
from ..utils import files
from . import program, results_file
from .flags import (
    chosen_checkpoints,
    flow_flags,
    label_flags,
    model_flags,
    reading_flags,
    runner_flags,
)

_TOP = 5


def main(names: list[str], *, root: str, start: float, max_frames: int | None) -> None:
    """Labels the inputs.

    Args:
        names: files, folders, patterns, CSVs and addresses.
        root: folder that holds checkpoints/.
        start: second to begin at.
        max_frames: frames of a video that are seen; None is all.

    Raises:
        ValueError: flags do not go together, or no video could be labelled.
    """
    label_flags.check()
    inputs = sources.find(names)
    reading_flags.check_fps(each.source for each in inputs)
    for flag in (label_flags.CAPTIONS, label_flags.TIMELINE):
        if flag.value is not None and len(inputs) > 1:
            raise ValueError(f"--{flag.name} is for one video. Received: {len(inputs)}")
    if label_flags.TIMELINE.value and isinstance(inputs[0].source, Record):
        raise ValueError(
            "--timeline shows frames of a video file. Received: a record of "
            f"{files.redact(inputs[0].source.path)}"
        )
    if "flow" in model_flags.streams():
        clip_streams.check_flow([each.source for each in inputs])
    checkpoints = chosen_checkpoints.find_checkpoints(root, may_substitute=True)
    options, beam = _options(start, max_frames), runner_flags.beam_options()
    if beam is not None:
        _report(_label_with_beam(inputs, checkpoints, options, beam))
        return
    report, scores = _label_here(inputs, checkpoints, options)
    if scores:
        facts = results_file.facts(checkpoints, root)
        _write_segments(inputs[0].source.path, scores, facts)
    _report(report)


def _options(start, max_frames):
    with program.quiet_tensorflow():
        from ..inference.label_tables.steps import TableOptions

    return TableOptions(
        start=start,
        end=label_flags.END.value,
        max_frames=max_frames,
        batch_size=label_flags.BATCH_SIZE.value,
        num_readers=label_flags.NUM_READERS.value,
        recipe=reading_flags.apply(flow_flags.apply(ClipRecipe(model_flags.stream()))),
        top=model_flags.TOP.value if model_flags.TOP.present else _TOP,
        window=label_flags.WINDOW.value,
        stride=label_flags.STRIDE.value,
        dense=label_flags.DENSE.value,
    )


def _label_here(inputs, checkpoints, options):
    """The report and, if there are segments to be found, the scores of all windows."""
    models, class_names = chosen_checkpoints.load_models(checkpoints)
    from ..inference.classifier import Classifier
    from ..inference.label_tables.table import write_labels

    classifier = Classifier.of_models(models, class_names, dtype=model_flags.dtype())
    has_segments = bool(label_flags.CAPTIONS.value or label_flags.TIMELINE.value)
    scores = []
    if label_flags.OUT.value is None:
        write = functools.partial(_print_rows, classifier, inputs, options)
    else:
        write = functools.partial(
            write_labels,
            classifier,
            inputs,
            label_flags.OUT.value,
            options,
            keep_scores=has_segments,
        )

    def keep(step):
        if has_segments and step.scores is not None:
            scores.append(step.scores)

    try:
        return write(on_row=keep), scores
    except KeyboardInterrupt:
        if label_flags.OUT.value is not None:
            logging.info("Stopped; the same command goes on after what is done")
        # A thread that computes flow would be waited for.
        program.exit_at_once(130)


def _label_with_beam(inputs, checkpoints, options, beam):
    with program.quiet_tensorflow():
        from ..inference.label_tables.beam import label_with_beam

    done = label_with_beam(
        inputs,
        [*checkpoints.paths.values()],
        label_flags.OUT.value,
        options,
        dtype=model_flags.dtype(),
        beam_options=beam,
    )
    logging.info("The table is in %s", done.pattern)
    return done.report


def _print_rows(classifier, inputs, options, *, on_row):
    """Prints the table; gives the report that `write_labels` gives."""
    from ..inference.label_tables.rows import LabelCsv
    from ..inference.label_tables.steps import label
    from ..inference.label_tables.table import LabelReport

    codec = LabelCsv(options.top)
    sys.stdout.write(codec.header)
    report = LabelReport(len(inputs))
    for step in label(classifier, inputs, options):
        on_row(step)
        if step.row is not None:
            sys.stdout.write(codec.encode(codec.convert(step.row)))
            sys.stdout.flush()
            continue
        report.add(step.input.name, step.error, step.is_cut, step.damage)
    return report


def _write_segments(path, scores, facts):
    from ..inference.captions import write_captions
    from ..visualization import timeline

    found = segments.find_segments(
        scores,
        threshold=label_flags.THRESHOLD.value,
        min_seconds=label_flags.MIN_SECONDS.value,
    )
    if label_flags.CAPTIONS.value is not None:
        write_captions(label_flags.CAPTIONS.value, found)
        logging.info("%d segments are in %s", len(found), label_flags.CAPTIONS.value)
    if label_flags.TIMELINE.value is not None:
        start, end = scores[0].seconds[0], scores[-1].seconds[1]
        thumbnails = timeline.read_thumbnails(path, start, end)
        timeline.write_timeline(
            label_flags.TIMELINE.value,
            os.path.basename(files.without_query(path)),
            scores,
            found,
            thumbnails,
            facts,
        )
        logging.info("The page is %s", label_flags.TIMELINE.value)


def _report(report):
    if report.num_cut:
        logging.warning(
            "%d videos are longer than what was seen of them; see --max_frames, and "
            "--window for classes over time",
            report.num_cut,
        )
    done = report.total - report.num_failed
    damaged = ""
    if report.num_damaged:
        damaged = f"; {report.num_damaged} have damaged frames"
    logging.info(
        "%d of %d videos are labelled; %d could not be%s",
        done, report.total, report.num_failed, damaged,
    )  # fmt: skip
    if not done:
        reason = next(iter(report.errors.values()), "see the table")
        raise ValueError(f"no video could be labelled; the first: {reason}")
