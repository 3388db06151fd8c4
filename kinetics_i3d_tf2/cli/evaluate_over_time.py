"""`i3d evaluate` of videos with several labels, at the times when they hold."""

from absl import flags, logging

from ..data.clips import Table
from . import evaluation_report, program
from .flags import clip_flags

PROTOCOLS = ("dense", "windows")
_WINDOW = flags.DEFINE_float(
    "window", None, "Seconds of a window, of --protocol=windows.", 0.36
)
_STRIDE = flags.DEFINE_float(
    "stride", None, "Seconds from one window to the next; by default --window.", 0.04
)
flags.disclaim_key_flags()  # declare_for_help is the caller's.


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (_WINDOW, _STRIDE):
        flags.declare_key_flag(flag.name)


def resolve(protocol: str | None, dataset) -> str:
    """The protocol to use: that of the flag or, without it, that of the dataset.

    Args:
        protocol: value of `--protocol`.
        dataset: a `Table`, or a folder of records.

    Raises:
        ValueError: the protocol is not for such a dataset, or flags do not fit it.
    """
    is_several = isinstance(dataset, Table) and any(c.intervals for c in dataset)
    chosen = protocol or ("dense" if is_several else "whole")
    if is_several and chosen not in PROTOCOLS:
        raise ValueError(
            f"--protocol={chosen} is for one label a clip, and these videos have "
            "several, with their times: use dense or windows"
        )
    if chosen in PROTOCOLS and clip_flags.MODEL.value != "i3d":
        raise ValueError(f"--protocol={chosen} is for --model=i3d")
    for flag in (_WINDOW, _STRIDE):
        if flag.present and chosen != "windows":
            raise ValueError(f"--{flag.name} is for --protocol=windows")
    if chosen == "windows" and _WINDOW.value is None:
        raise ValueError("--protocol=windows needs --window=SECONDS")
    return chosen


def run(checkpoints, sources, class_names, out, recipe, batch_size, options):
    """Evaluates over time, as `evaluate_temporal`; its results."""
    with program.quiet_tensorflow():
        from ..evaluation.evaluate_temporal import evaluate_temporal
        from ..evaluation.temporal_protocol import TemporalProtocol
    protocol = TemporalProtocol(_WINDOW.value, _STRIDE.value, recipe, batch_size)
    try:
        return evaluate_temporal(
            checkpoints, sources, class_names, out, protocol=protocol, options=options
        )
    except KeyboardInterrupt:
        logging.info("Stopped; the same command resumes after the videos that are done")
        program.exit_at_once(130)


def report(found, out: str, json_flag: flags.FlagHolder) -> None:
    """Prints the figures, and writes them as JSON.

    Args:
        found: results of `run`.
        out: folder of the results.
        json_flag: the flag `--json`.
    """
    from ..evaluation import precision_results

    without = f", {found.without_labels} without labels" if found.without_labels else ""
    counted = f"{found.videos} videos{without}"
    evaluation_report.report(found, precision_results, counted, out, json_flag)
