"""What `i3d classify` does with many videos, and with windows of long ones."""

import functools
import logging as python_logging
import os
import shlex
import sys

from absl import flags, logging

from ..data import sources, video_folder
from ..data.clip_recipe import ClipRecipe
from ..inference import segments
from ..inference.label_rows import SUFFIXES
from ..utils import files
from ..visualization import plots
from . import (
    chosen_checkpoints,
    clip_flags,
    flow_flags,
    model_flags,
    program,
    reading_flags,
    results_file,
)

OUT = flags.DEFINE_string(
    "out",
    None,
    "Table to write, .csv or .jsonl: a row for each video, or for each of its windows. "
    "Stopped, the same command goes on. By default CSV on standard output.",
)
WINDOW = flags.DEFINE_float(
    "window",
    None,
    "Seconds of a window: classes over time, instead of one answer for a video. 2.56 "
    "is what the released models were trained on.",
    0.36,
)
STRIDE = flags.DEFINE_float(
    "stride", None, "Seconds from one window to the next; by default --window.", 0.04
)
END = flags.DEFINE_float("end", None, "Second of each video to end at.", 0)
THRESHOLD = flags.DEFINE_float(
    "threshold",
    segments.THRESHOLD,
    "Probability that begins a segment of --captions and --timeline; one goes on while "
    f"its class has {segments.HYSTERESIS:g} of it.",
    0,
    1,
)
MIN_SECONDS = flags.DEFINE_float(
    "min_segment",
    segments.MIN_SECONDS,
    "Seconds of the shortest segment that is kept.",
    0,
)
CAPTIONS = flags.DEFINE_string(
    "captions",
    None,
    "Also write the segments of one video as captions (.vtt), for a player. Needs "
    "--window.",
)
TIMELINE = flags.DEFINE_string(
    "timeline",
    None,
    "Also write a page (.html) of one video over time: its frames, and a lane for each "
    "of its best classes. Needs --window, and the extra plot.",
)
RUNNER = flags.DEFINE_string(
    "runner",
    None,
    "Label the videos by Apache Beam, on a cluster: DirectRunner (this machine), "
    "FlinkRunner, SparkRunner, DataflowRunner. --out is written as several files. "
    "Needs the extra beam.",
)
RUNNER_OPTIONS = flags.DEFINE_string(
    "runner_options",
    "",
    "Beam's own flags, as one text: '--flink_master=host:8081 --parallelism=16'.",
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 1, "Clips that go through the models at once.", 1
)
NUM_READERS = flags.DEFINE_integer(
    "num_readers", None, "Videos that are read at once; by default one a core.", 1
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

_TOP = 5
# What is of no use to a live video.
OF_FILES = (
    *(END, THRESHOLD, MIN_SECONDS, CAPTIONS, TIMELINE),
    *(BATCH_SIZE, NUM_READERS, RUNNER, RUNNER_OPTIONS),
)


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (OUT, WINDOW, STRIDE, *OF_FILES):
        flags.declare_key_flag(flag.name)


def is_wanted(names: list[str]) -> bool:
    """Whether the arguments ask for a table rather than for the answer of one video.

    Args:
        names: positional arguments, the inputs.
    """
    if OUT.value is not None or WINDOW.value is not None or len(names) > 1:
        return True
    return (
        bool(names)
        and names[0] != "-"
        and (
            (files.is_dir(names[0]) and not video_folder.is_clip(names[0]))
            or not files.exists(names[0])
            or names[0].lower().endswith(".csv")
        )
    )


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
    _check_flags()
    inputs = sources.find(names)
    reading_flags.check_fps(each.source for each in inputs)
    for flag in (CAPTIONS, TIMELINE):
        if flag.value is not None and len(inputs) > 1:
            raise ValueError(f"--{flag.name} is for one video. Received: {len(inputs)}")
    checkpoints = chosen_checkpoints.find_checkpoints(root, may_substitute=True)
    options = _options(start, max_frames)
    if RUNNER.value is not None:
        _report(_label_with_beam(inputs, checkpoints, options))
        return
    report, scores = _label_here(inputs, checkpoints, options)
    if scores:
        facts = results_file.facts(checkpoints, root)
        _write_segments(inputs[0].source.path, scores, facts)
    _report(report)


def _options(start, max_frames):
    with program.quiet_tensorflow():
        from ..inference.label_table import TableOptions

    return TableOptions(
        start=start,
        end=END.value,
        max_frames=max_frames,
        batch_size=BATCH_SIZE.value,
        num_readers=NUM_READERS.value,
        recipe=reading_flags.apply(flow_flags.apply(ClipRecipe(model_flags.stream()))),
        top=model_flags.TOP.value if model_flags.TOP.present else _TOP,
        window=WINDOW.value,
        stride=STRIDE.value,
    )


def _label_here(inputs, checkpoints, options):
    """The report and, if there are segments to be found, the scores of all windows."""
    models, class_names = chosen_checkpoints.load_models(checkpoints)
    from ..inference import label_table
    from ..inference.classifier import Classifier

    classifier = Classifier.of_models(models, class_names, dtype=model_flags.dtype())
    scores, has_segments = [], bool(CAPTIONS.value or TIMELINE.value)
    if OUT.value is None:
        write = functools.partial(_print_rows, classifier, inputs, options)
    else:
        write = functools.partial(
            label_table.write_labels,
            classifier,
            inputs,
            OUT.value,
            options,
            resume=not has_segments,  # They need the scores of all windows.
        )

    def keep(step):
        if has_segments and step.scores is not None:
            scores.append(step.scores)

    try:
        return write(on_row=keep), scores
    except KeyboardInterrupt:
        if OUT.value is not None:
            logging.info("Stopped; the same command goes on after what is done")
        # A thread that computes flow would be waited for.
        program.exit_at_once(130)


def _label_with_beam(inputs, checkpoints, options):
    # Its errors are printed below, on one line.
    python_logging.getLogger("apache_beam").setLevel(python_logging.CRITICAL)
    from ..data.records.writer import beam_options

    beam = beam_options(
        [f"--runner={RUNNER.value}", *shlex.split(RUNNER_OPTIONS.value)]
    )
    with program.quiet_tensorflow():
        from ..inference.label_beam import label_with_beam

    done = label_with_beam(
        inputs,
        [
            os.path.abspath(path) if _is_local(path) else path
            for path in checkpoints.paths.values()
        ],
        OUT.value,
        options,
        dtype=model_flags.dtype(),
        beam_options=beam,
    )
    logging.info("The table is in %s", done.pattern)
    return done.report


def _is_local(path):
    return not files.is_address(path)


def _check_flags():
    model_flags.check()
    flow_flags.check()
    for flag in (clip_flags.MODEL, clip_flags.NUM_FRAMES, clip_flags.RGB_STRIDE):
        if flag.present:
            raise ValueError(f"--{flag.name}: this program runs I3D")
    program.check_output(OUT)
    for flag, suffix in ((CAPTIONS, ".vtt"), (TIMELINE, ".html")):
        program.check_output(flag)
        if flag.value is not None and not flag.value.endswith(suffix):
            raise ValueError(
                f"--{flag.name}={flag.value}: name a file that ends in {suffix}"
            )
    if TIMELINE.value is not None and not plots.is_installed():
        raise ValueError(f"--timeline needs the extra plot: {plots.INSTALL}")
    if OUT.value is not None and not OUT.value.lower().endswith(SUFFIXES):
        raise ValueError(f"--out={OUT.value}: name a file that ends in .csv or .jsonl")
    if RUNNER.value is not None:
        if OUT.value is None or CAPTIONS.value or TIMELINE.value:
            raise ValueError(
                "--runner needs --out, and has no --captions and no --timeline"
            )
    elif RUNNER_OPTIONS.present:
        raise ValueError("--runner_options are for a --runner")
    if WINDOW.value is None:
        for flag in (STRIDE, CAPTIONS, TIMELINE):
            if flag.value is not None:
                raise ValueError(f"--{flag.name} needs --window=SECONDS")


def _print_rows(classifier, inputs, options, *, on_row):
    """Prints the table; gives the report that `write_labels` gives."""
    from ..inference import label_table
    from ..inference.label_rows import LabelCsv

    codec = LabelCsv(options.top)
    sys.stdout.write(codec.header)
    report = label_table.LabelReport(len(inputs))
    for step in label_table.label(classifier, inputs, options):
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
        scores, threshold=THRESHOLD.value, min_seconds=MIN_SECONDS.value
    )
    if CAPTIONS.value is not None:
        write_captions(CAPTIONS.value, found)
        logging.info("%d segments are in %s", len(found), CAPTIONS.value)
    if TIMELINE.value is not None:
        start, end = scores[0].seconds[0], scores[-1].seconds[1]
        thumbnails = timeline.read_thumbnails(path, start, end)
        timeline.write_timeline(
            TIMELINE.value, os.path.basename(path), scores, found, thumbnails, facts
        )
        logging.info("The page is %s", TIMELINE.value)


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
