"""Flags of Apache Beam's runners, shared by programs."""

import logging as standard_logging
import shlex

from absl import flags

from .. import program

RUNNER = flags.DEFINE_string(
    "runner",
    None,
    "Do the work by Apache Beam, on a cluster: DirectRunner (this machine), "
    "FlinkRunner, SparkRunner, DataflowRunner. Needs the extra beam.",
)
RUNNER_OPTIONS = flags.DEFINE_string(
    "runner_options",
    "",
    "Beam's own flags, as one text: '--flink_master=host:8081 --parallelism=16'.",
)
ALL = (RUNNER, RUNNER_OPTIONS)

flags.disclaim_key_flags()  # declare_for_help is the caller's.


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in ALL:
        flags.declare_key_flag(flag.name)


def beam_options():
    """Options of the Beam pipeline.

    Returns:
        `PipelineOptions`; None without `--runner`.

    Raises:
        ValueError: Apache Beam is not installed, or does not know a flag.
    """
    if RUNNER.value is None:
        if RUNNER_OPTIONS.present:
            raise ValueError("--runner_options are for a --runner")
        return None
    # Its errors, with a worker's traceback, are printed on one line.
    standard_logging.getLogger("apache_beam").setLevel(standard_logging.CRITICAL)
    with program.quiet_tensorflow():
        from ...data.records import writer

        return writer.beam_options(
            [f"--runner={RUNNER.value}", *shlex.split(RUNNER_OPTIONS.value)]
        )
