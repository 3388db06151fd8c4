r"""Prepares a dataset of videos for training: sharded MediaSequence records.

A folder with one folder of videos per class, on all cores of this machine:
  i3d prepare --dataset=folder --videos=DIR --out=RECORDS

Kinetics-400, RGB only:
  i3d prepare --dataset=kinetics400 --videos=DIR \
    --annotations=train.csv --out=RECORDS --flow=none

Videos are trimmed, resampled to 25 frames per second and resized to a short side of 256
pixels; TV-L1 optical flow takes most of the time. After an interruption, the same
command resumes with the unfinished record files, and those of changed videos. Videos
that cannot be read are left out and listed in RECORDS/report.json.

This is an Apache Beam pipeline (pip install 'kinetics-i3d-tf2[beam]') and takes Beam's
own flags too: --direct_num_workers=4 for fewer cores, or --runner=DataflowRunner,
FlinkRunner or SparkRunner with their flags for a cluster that has this package.
"""

import logging as python_logging

from absl import flags, logging

from ..data.records import image_coding, shards, writer
from ..utils import files
from ..utils.beam_errors import PipelineError
from . import program
from .flags import dataset_flags, flow_flags, reading_flags

dataset_flags.declare_for_help()
flow_flags.declare_for_help()
reading_flags.declare_for_help()
flags.mark_flag_as_required("dataset")
_SPLITS = flags.DEFINE_list("splits", None, "Splits to prepare; by default all.")
_OUT = flags.DEFINE_string("out", None, "Folder of the records.", required=True)
_NAME = flags.DEFINE_string(
    "name", None, "First part of the record files' names; by default --dataset."
)
_NUM_SHARDS = flags.DEFINE_integer(
    "num_shards",
    None,
    "Record files per split; by default 64, or one per 8 clips, and at most 1000. One "
    "that is unfinished when the program is killed is started over.",
    1,
)
_RETRY_FAILED = flags.DEFINE_boolean(
    "retry_failed",
    False,
    "Rewrite the record files in which clips failed in an earlier run.",
)
_FLOW = flags.DEFINE_enum("flow", "tvl1", ["tvl1", "none"], "Optical flow.")
_SHORT_SIDE = flags.DEFINE_integer("short_side", 256, "Short side in pixels.", 16)
_RGB_FORMAT = flags.DEFINE_enum(
    "rgb_format", "jpeg", ["jpeg", "png"], "Format of RGB images."
)
_JPEG_QUALITY = flags.DEFINE_integer(
    "jpeg_quality", 95, "JPEG quality of RGB images.", 1, 100
)
_FLOW_FORMAT = flags.DEFINE_enum(
    "flow_format",
    "png",
    ["png", "jpeg"],
    "Format of flow images; png keeps the 8-bit code.",
)
_FLOW_QUALITY = flags.DEFINE_integer(
    "flow_quality", 100, "JPEG quality of flow.", 1, 100
)

KEEPS_UNKNOWN_FLAGS = True  # Beam parses its own.


def main(argv):
    """Prepares the dataset that the flags specify."""
    stray = [argument for argument in argv[1:] if not argument.startswith("-")]
    if stray:
        raise ValueError(f"Unknown argument '{stray[0]}'; flags are typed --name=value")
    # Its errors, with a worker's traceback, are printed below, on one line.
    python_logging.getLogger("apache_beam").setLevel(python_logging.CRITICAL)
    with program.quiet_tensorflow():
        options = writer.beam_options(argv[1:])
    flow_flags.check()
    files.check_writable(_OUT.value)
    table = dataset_flags.read_table()
    if _SPLITS.value:
        table = table.with_splits(_SPLITS.value)
    reading_flags.check_fps(table)
    settings = _settings()
    try:
        written = writer.write_records(
            table,
            _OUT.value,
            name=_NAME.value or dataset_flags.DATASET.value,
            settings=settings,
            num_shards=_NUM_SHARDS.value,
            retry_failed=_RETRY_FAILED.value,
            options=options,
        )
    except KeyboardInterrupt:
        # Beam's threads cannot be stopped, and crash a process that ends as usual.
        logging.info("Stopped; the same command goes on where this one ended")
        program.exit_at_once(130)
    except PipelineError as error:
        program.print_error(
            OSError(f"{error}; the same command goes on where this one ended")
        )
        program.exit_at_once(2)
    retry = " (--retry_failed tries them again)" if written.failed else ""
    damaged = f", {written.damaged} with damaged frames" if written.damaged else ""
    print(
        f"{written.clips} clips in {written.record_files} record files in "
        f"{_OUT.value}; {written.failed} failed{retry}, {written.missing} missing"
        f"{damaged}; see {written.report}"
    )


def _settings():
    """The settings of the records, from the flags."""
    return shards.Settings(
        has_flow=_FLOW.value != "none",
        short_side=_SHORT_SIDE.value,
        coding=image_coding.Coding(
            _RGB_FORMAT.value,
            _JPEG_QUALITY.value,
            _FLOW_FORMAT.value,
            _FLOW_QUALITY.value,
        ),
        flow_epsilon=flow_flags.FLOW_EPSILON.value,
        flow_engine=flow_flags.FLOW_ENGINE.value,
        reading=reading_flags.options(),
    )
