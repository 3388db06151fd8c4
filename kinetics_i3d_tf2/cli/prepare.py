r"""Prepares a dataset of videos for training: sharded MediaSequence records.

A folder that holds a folder of videos for each class, on all cores of this machine:
  i3d prepare --dataset=folder --videos=DIR --out=RECORDS

Kinetics-400, RGB only:
  i3d prepare --dataset=kinetics400 --videos=DIR \
    --annotations=train.csv --out=RECORDS --flow=none

Videos are trimmed, resampled to 25 frames a second and resized to a short side of 256
pixels; TV-L1 optical flow takes most of the time (0.4 to 0.8 s a frame and core).
Stopped or killed, the same command goes on after the shards that are finished. Videos
that cannot be read are left out and listed in RECORDS/report.json.

It is an Apache Beam pipeline (pip install 'kinetics-i3d-tf2[beam]'). All of Beam's own
flags are taken: --direct_num_workers=4 for fewer cores, --runner=DataflowRunner,
FlinkRunner or SparkRunner and their flags for a cluster, which must have this package.
"""

import logging as python_logging
import math
import os
import threading

from absl import flags, logging
from tqdm import tqdm

from ..data import labels, mediasequence, shards
from ..data.report import Report
from ..utils import files, run_dir
from ..video import optical_flow
from . import dataset_flags, program

dataset_flags.declare_for_help()
flags.mark_flag_as_required("dataset")
_SPLITS = flags.DEFINE_list("splits", None, "Splits to prepare; by default all.")
_OUT = flags.DEFINE_string("out", None, "Folder of the records.", required=True)
_NAME = flags.DEFINE_string(
    "name", None, "What names of record files begin with; by default --dataset."
)
_NUM_SHARDS = flags.DEFINE_integer(
    "num_shards",
    None,
    "Record files of each split; by default 64, or one for 8 clips, and 1000 at most. "
    "What is not a whole file when the program is killed is done again.",
    1,
)
_RETRY_FAILED = flags.DEFINE_boolean(
    "retry_failed",
    False,
    "Do the record files again in which clips failed in an earlier run.",
)
_FLOW = flags.DEFINE_enum("flow", "tvl1", ["tvl1", "none"], "Optical flow, or none.")
_FLOW_EPSILON = flags.DEFINE_float(
    "flow_epsilon",
    optical_flow.EPSILON,
    "Pixels of change at which TV-L1 stops; 0.05 is several times faster than OpenCV's "
    "0.01, and differs by 0.02 (a clean video) to 0.3 pixels (noise).",
    1e-4,
)
_SHORT_SIDE = flags.DEFINE_integer("short_side", 256, "Pixels of the short side.", 16)
_RGB_FORMAT = flags.DEFINE_enum("rgb_format", "jpeg", ["jpeg", "png"], "RGB images.")
_JPEG_QUALITY = flags.DEFINE_integer("jpeg_quality", 95, "Of RGB images.", 1, 100)
_FLOW_FORMAT = flags.DEFINE_enum(
    "flow_format", "png", ["png", "jpeg"], "Flow images; png keeps the 8-bit code."
)
_FLOW_QUALITY = flags.DEFINE_integer("flow_quality", 100, "Of flow as JPEG.", 1, 100)

# Beam's default runner fetches a program of another language when it can.
_LOCAL = (
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_num_workers=0",
    "--direct_running_mode=multi_threading",
)

KEEPS_UNKNOWN_FLAGS = True  # Beam parses its own.


def main(argv):
    """Prepares what the flags ask for."""
    options = _beam_options(argv)
    table = dataset_flags.read_table()
    files.make_dirs(files.join(_OUT.value, "work"))
    with run_dir.only_run(_OUT.value, lock="work/lock"):
        _prepare(table, options)


def _prepare(table, options):
    table = _with_label_map(table)
    settings = shards.Settings(
        has_flow=_FLOW.value != "none",
        short_side=_SHORT_SIDE.value,
        coding=mediasequence.Coding(
            _RGB_FORMAT.value,
            _JPEG_QUALITY.value,
            _FLOW_FORMAT.value,
            _FLOW_QUALITY.value,
        ),
        flow_epsilon=_FLOW_EPSILON.value,
    )
    report = Report(_OUT.value)
    work = {}
    for split in _SPLITS.value or table.splits():
        clips = table.split(split).clips
        classes = len({clip.label for clip in clips})
        logging.info("%s: %d clips of %d classes", split, len(clips), classes)
        streams = "rgb_flow" if settings.has_flow else "rgb"
        name = f"{_NAME.value or dataset_flags.DATASET.value}_{split}_25fps_{streams}"
        work[name] = shards.plan(_OUT.value, name, clips, _num_shards(len(clips)))
        report.begin(name, work[name], settings)
    report.missing[dataset_flags.source()] = list(table.missing)
    if table.class_names:
        labels.write_label_map(_label_map(), table.class_names)
    report.write()
    if _RETRY_FAILED.value:
        _forget_failed(work)
    _run(work, settings, options)
    _conclude(report, work)


def _num_shards(num_clips):
    """Enough for many cores, and few enough for any file system."""
    if _NUM_SHARDS.value is not None:
        return min(_NUM_SHARDS.value, num_clips)
    return min(num_clips, max(64, math.ceil(num_clips / 8)), 1000)


def _beam_options(argv):
    """Beam's options out of what is left of the command line."""
    try:
        with program.quiet_tensorflow():
            from apache_beam.options.pipeline_options import PipelineOptions

            # What it has to say is said below, in a line.
            python_logging.getLogger("apache_beam").setLevel(python_logging.CRITICAL)
    except ImportError as error:
        raise ValueError(
            "preparing needs Apache Beam: pip install 'kinetics-i3d-tf2[beam]'"
        ) from error
    stray = [argument for argument in argv[1:] if not argument.startswith("-")]
    if stray:
        raise ValueError(f"Unknown argument '{stray[0]}'; flags are typed --name=value")
    options = PipelineOptions([*_LOCAL, *argv[1:]])
    unknown = set(options.get_all_options(retain_unknown_options=True)) - set(
        options.get_all_options()
    )
    if unknown:
        raise ValueError(f"Unknown flag '--{min(unknown)}', here and in Apache Beam")
    return options


def _label_map():
    return files.join(_OUT.value, labels.LABEL_MAP)


def _with_label_map(table):
    """The table with the indices of the label map that is in the folder, if any."""
    if not files.exists(_label_map()):
        return table
    try:
        return table.with_classes(labels.read_label_map(_label_map()))
    except ValueError as error:
        raise ValueError(
            f"{_label_map()}: {error}. Name another --out for these clips"
        ) from error


def _forget_failed(work):
    for planned in work.values():
        for shard, outcomes in shards.read_outcomes(planned).items():
            if any(outcome.reason for outcome in outcomes):
                files.remove(shard)


def _run(work, settings, options):
    """Writes the shards that are not there, with a progress bar."""
    with program.quiet_tensorflow():
        import apache_beam as beam
        import tensorflow as tf  # noqa: F401 (the workers need it)

    planned = {path: clips for part in work.values() for path, clips in part.items()}
    left = {path: c for path, c in planned.items() if not files.exists(path)}
    if not left:
        logging.info("All %d record files are there", len(planned))
        return
    shards.write_plan(left)
    try:
        with _Progress(planned, left), beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | beam.Create(list(left))
                | beam.Reshuffle()  # Else the runner may do them one after another.
                | beam.Map(shards.write_shard, settings)
            )
    except KeyboardInterrupt:
        # Beam's threads cannot be stopped, and crash a process that ends as usual.
        logging.info("Stopped; the same command goes on where this one ended")
        os._exit(130)
    except RuntimeError as error:  # Beam's, with the whole traceback of a worker.
        reason = str(error).strip().splitlines()[-1]
        program.print_error(
            OSError(f"{reason}; the same command goes on where this one ended")
        )
        os._exit(2)


class _Progress:
    """A bar that follows the lists which the workers write, wherever they run."""

    def __init__(self, planned, left):
        finished = sum(map(len, planned.values())) - sum(map(len, left.values()))
        self._bar = tqdm(
            desc="Preparing",
            total=sum(map(len, planned.values())),
            initial=finished,
            unit="clip",
            smoothing=0,  # Clips come in bursts; their average foretells best.
        )
        self._finished = finished
        self._left = {shard: len(clips) for shard, clips in left.items()}
        self._is_over = threading.Event()
        interval = 30.0 if files.is_address(next(iter(left))) else 1.0
        self._thread = threading.Thread(target=self._follow, args=(interval,))

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        self._update()
        self._bar.close()

    def _follow(self, interval):
        while not self._is_over.wait(interval):
            self._update()

    def _update(self):
        begun = 0
        for shard, count in list(self._left.items()):
            done = shards.count_outcomes(shard)
            if done == count:
                self._finished += self._left.pop(shard)
            else:
                begun += done
        self._bar.update(max(0, self._finished + begun - self._bar.n))


def _conclude(report, work):
    for name, planned in work.items():
        parts = shards.read_outcomes(planned).values()
        report.end(name, [outcome for part in parts for outcome in part])
    report.write()
    missing = sum(map(len, report.missing.values()))
    written, failed = map(sum, zip(*map(report.counts, work), strict=True))
    retry = " (--retry_failed tries them again)" if failed else ""
    print(
        f"{written} clips in {sum(map(len, work.values()))} record files in "
        f"{_OUT.value}; {failed} failed{retry}, {missing} missing; see {report.path}"
    )
    if not written:
        raise ValueError(
            f"no clip could be prepared; {report.path} says why. When that is mended, "
            "--retry_failed tries again"
        )
