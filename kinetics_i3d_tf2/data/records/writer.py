"""Datasets of videos written as sharded MediaSequence records, by Apache Beam."""

import math
import os
from collections.abc import Sequence
from typing import NamedTuple

from absl import logging

from ...arguments import suggest_arguments
from ...utils import files, run_dir
from ...utils.beam_errors import as_pipeline_errors
from ...utils.names import OutputNames, safe_part
from ...utils.text import printable
from .. import labels
from ..clips import Table
from . import progress, shards
from .outcomes import read_outcomes, remove_changed, remove_failed
from .report import Report

# Beam's default runner downloads a program of another language when it can.
_LOCAL = (
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_num_workers=0",
    "--direct_running_mode=multi_threading",
)


class Written(NamedTuple):
    """What `write_records` leaves in its folder."""

    clips: int  # clips in the record files
    failed: int  # clips that could not be prepared
    missing: int  # files that the dataset's lists name and that do not exist
    record_files: int
    report: str  # path of report.json, which has the reasons
    damaged: int = 0  # clips in the record files with damaged or missing frames


@suggest_arguments
def write_records(
    table: Table,
    out: str | os.PathLike,
    *,
    name: str = "dataset",
    settings: shards.Settings = shards.Settings(),  # noqa: B008 It is immutable.
    num_shards: int | None = None,
    retry_failed: bool = False,
    options=None,
) -> Written:
    """Writes the clips of a dataset as records for training and evaluation.

    Videos are trimmed, resampled to 25 frames per second and resized; TV-L1 flow takes
    most of the time. After an interruption the same call resumes; record files of
    videos that have changed since are written again. Clips that cannot be read are left
    out and listed in `report.json`.

    Args:
        table: the clips; each of its splits gets record files of its own.
        out: folder of the records, local or an address.
        name: record files are `NAME_SPLIT_25fps_rgb_flow-00000-of-00064`, with safe
            names of the splits (`utils.names`).
        settings: streams, size and coding.
        num_shards: record files per split; by default 64, or one per 8 clips, and at
            most 1000. An unfinished one is started over.
        retry_failed: rewrite the record files of an earlier run in which clips failed.
        options: from `beam_options`; by default all cores of this machine.

    Returns:
        Counts, and the report's path.

    Raises:
        OSError: a file cannot be written; `PipelineError` once Beam is running.
        ValueError: Apache Beam is missing, the folder was begun with other settings or
            clips, or no clip can be prepared.

    Examples:
        >>> i3d.write_records(i3d.read_folder("videos"), "records").clips
        1200
    """
    options = options or beam_options()
    out = os.fspath(out)
    files.make_dirs(files.join(out, "work"))
    with run_dir.only_run(out, lock="work/lock"):
        run_dir.clear_unfinished(out)
        table = _with_label_map(table, out)
        report = Report(out)
        stems = _stems(table.splits(), name, settings, report)
        plans = {}
        for split, stem in stems.items():
            clips = table.split(split).clips
            logging.info("%s: %s", split, _summary(clips))
            count = min(num_shards or _default_shards(len(clips)), len(clips))
            plans[stem] = shards.plan(out, stem, clips, count)
            report.begin(stem, plans[stem], settings.as_json())
        report.missing[table.source] = list(table.missing)
        if table.class_names:
            labels.write_label_map(files.join(out, labels.LABEL_MAP), table.class_names)
        report.write()
        planned = {path: c for plan in plans.values() for path, c in plan.items()}
        if retry_failed:
            remove_failed(planned)
        if changed := remove_changed(planned):
            logging.info(
                "%d videos have changed since; their record files are written again: "
                "%s",
                len(changed), ", ".join(changed[:3]) + ", ..." * (len(changed) > 3),
            )  # fmt: skip
        _run(planned, settings, options)
        return _conclude(report, plans)


def _summary(clips):
    """How many clips and classes there are, for the log."""
    names = [clip.label_names for clip in clips]
    text = f"{len(clips)} clips of {len(set().union(*names))} classes"
    empty = names.count(set())
    return f"{text}; {empty} have no label" if empty else text


def _stems(splits, name, settings, report):
    """First parts of the names of record files, by split, each its own."""
    if name != safe_part(name):
        raise ValueError(f"name is a part of file names. Received: {printable(name)!r}")
    streams = "rgb_flow" if settings.has_flow else "rgb"
    names, stems = OutputNames(), {}
    for split in splits:
        # Underscores separate the parts of such a name.
        part = safe_part(split).replace("_", "-")
        older = f"{name}_{split}_25fps_{streams}"
        if not report.has(older):
            part = names.claim(part, owner=split)
        stems[split] = older if report.has(older) else f"{name}_{part}_25fps_{streams}"
    return stems


def beam_options(arguments: Sequence[str] = ()):
    """Options of the Beam pipeline.

    Args:
        arguments: Beam's own flags (`--direct_num_workers=4`, `--runner=FlinkRunner`);
            by default threads on all cores of this machine.

    Returns:
        `PipelineOptions`.

    Raises:
        ValueError: Apache Beam is not installed, or does not know a flag.
    """
    try:
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise ValueError(
            "preparing needs Apache Beam: pip install 'kinetics-i3d-tf2[beam]'"
        ) from error
    options = PipelineOptions([*_LOCAL, *arguments])
    unknown = set(options.get_all_options(retain_unknown_options=True)) - set(
        options.get_all_options()
    )
    if unknown:
        raise ValueError(f"Unknown flag '--{min(unknown)}', here and in Apache Beam")
    return options


def _default_shards(num_clips):
    """Enough for many cores, and few enough for any file system."""
    return min(max(64, math.ceil(num_clips / 8)), 1000)


def _with_label_map(table, out):
    """The table with the indices of the label map that is in the folder, if any."""
    path = files.join(out, labels.LABEL_MAP)
    if not files.exists(path):
        return table
    try:
        return table.with_classes(labels.read_label_map(path))
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}. Choose another output folder (--out) for these clips"
        ) from error


def _run(planned, settings, options):
    """Writes the record files that do not exist, with a progress bar."""
    left = {path: clips for path, clips in planned.items() if not files.exists(path)}
    if not left:
        logging.info("All %d record files exist", len(planned))
        return
    import apache_beam as beam
    import tensorflow as tf  # noqa: F401 (the workers need it)

    shards.write_plan(left)
    with (
        as_pipeline_errors(),
        progress.shown(planned, left),
        beam.Pipeline(options=options) as pipeline,
    ):
        _ = (
            pipeline
            | beam.Create([files.absolute(path) for path in left])
            | beam.Reshuffle()  # Else the runner may do them one after another.
            | beam.Map(shards.write_shard, settings, folder=os.getcwd())
        )


def _conclude(report, plans):
    for name, plan in plans.items():
        parts = read_outcomes(plan).values()
        report.end(name, [outcome for part in parts for outcome in part])
    report.write()
    clips, failed, damaged = map(sum, zip(*map(report.counts, plans), strict=True))
    if not clips:
        raise ValueError(
            f"no clip could be prepared; {report.path} has the reasons. Once they are "
            "fixed, --retry_failed tries again"
        )
    missing, count = (sum(map(len, x.values())) for x in (report.missing, plans))
    return Written(clips, failed, missing, count, report.path, damaged)
