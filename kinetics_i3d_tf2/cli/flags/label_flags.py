"""The flags of `i3d classify` for many videos, and for windows of long ones."""

from collections.abc import Sequence

from absl import flags

from ...data.listings import video_folder
from ...data.records import tfrecord
from ...inference import segments
from ...inference.label_tables.rows import SUFFIXES
from ...utils import files
from ...visualization import plots
from .. import output_flags
from . import clip_flags, flow_flags, model_flags, runner_flags

OUT = flags.DEFINE_string(
    "out",
    None,
    "Table to write, .csv or .jsonl: a row for each video, or for each of its windows. "
    "Stopped, the same command goes on. By default, or with -, CSV on standard output.",
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
DENSE = flags.DEFINE_bool(
    "dense",
    False,
    "Instead of windows, a row for each 8 frames: the logits at each place in time, "
    "each computed once, of files and of live videos.",
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
    "Also write the segments of one video as captions (.vtt), for a player, or to "
    "standard output (-). Needs --window or --dense.",
)
TIMELINE = flags.DEFINE_string(
    "timeline",
    None,
    "Also write a page (.html) of one video over time: its frames, and a lane for each "
    "of its best classes. Needs --window or --dense, and the extra plot.",
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 1, "Clips that go through the models at once.", 1
)
NUM_READERS = flags.DEFINE_integer(
    "num_readers", None, "Videos that are read at once; by default one a core.", 1
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

# What is of no use to a live video.
OF_FILES = (
    *(END, THRESHOLD, MIN_SECONDS, CAPTIONS, TIMELINE),
    *(BATCH_SIZE, NUM_READERS, *runner_flags.ALL),
)


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (OUT, WINDOW, STRIDE, DENSE, *OF_FILES):
        flags.declare_key_flag(flag.name)


def is_wanted(names: list[str]) -> bool:
    """Whether the arguments ask for a table rather than for the answer of one video.

    Args:
        names: positional arguments, the inputs besides --video.
    """
    if OUT.value is not None or WINDOW.value is not None or DENSE.value:
        return True
    if len(names) > 1:
        return True
    return (
        bool(names)
        and names[0] != "-"
        and (
            (files.is_dir(names[0]) and not video_folder.is_clip(names[0]))
            or not files.exists(names[0])
            or names[0].lower().endswith(".csv")
            or tfrecord.is_record_file(names[0])
        )
    )


def check_inputs(names: list[str], of_one: Sequence[flags.FlagHolder]) -> None:
    """Checks that videos are named, and by no flag that is for a single one.

    Args:
        names: the inputs.
        of_one: flags of one video that is seen at once.

    Raises:
        ValueError: nothing is named, or one of the flags is given.
    """
    for flag in of_one:
        if flag.value is not None:
            raise ValueError(
                f"--{flag.name} is for one video that is seen at once, without --out, "
                "--window, --dense and --every"
            )
    if not names:
        raise ValueError("name the videos: files, folders, patterns or CSVs")


def check() -> None:
    """Finds what does not go together, before anything is read.

    Raises:
        ValueError: a flag is out of range, or does not go with another.
    """
    model_flags.check()
    flow_flags.check()
    for flag in (clip_flags.MODEL, clip_flags.NUM_FRAMES, clip_flags.RGB_STRIDE):
        if flag.present:
            raise ValueError(f"--{flag.name}: this program runs I3D")
    output_flags.check(OUT, stdout=True)
    if output_flags.is_stdout(OUT):
        flags.FLAGS.out = None  # As without the flag.
    output_flags.check(CAPTIONS, stdout=True)
    output_flags.check(TIMELINE)
    if output_flags.is_stdout(CAPTIONS) and OUT.value is None:
        raise ValueError(
            "--captions=-: the table is on standard output too; write it to a file "
            "with --out"
        )
    for flag, suffix in ((CAPTIONS, ".vtt"), (TIMELINE, ".html")):
        is_file = flag.value is not None and not output_flags.is_stdout(flag)
        if is_file and not flag.value.endswith(suffix):
            raise ValueError(
                f"--{flag.name}={flag.value}: name a file that ends in {suffix}"
            )
    if TIMELINE.value is not None and not plots.is_installed():
        raise ValueError(f"--timeline needs the extra plot: {plots.INSTALL}")
    if OUT.value is not None and not OUT.value.lower().endswith(SUFFIXES):
        raise ValueError(f"--out={OUT.value}: name a file that ends in .csv or .jsonl")
    if runner_flags.RUNNER.value is not None:
        if OUT.value is None or CAPTIONS.value or TIMELINE.value:
            raise ValueError(
                "--runner needs --out, and has no --captions and no --timeline"
            )
    check_dense()
    if WINDOW.value is None and STRIDE.value is not None:
        raise ValueError("--stride needs --window=SECONDS")
    if WINDOW.value is None and not DENSE.value:
        for flag in (CAPTIONS, TIMELINE):
            if flag.value is not None:
                raise ValueError(f"--{flag.name} needs --window=SECONDS, or --dense")


def check_dense() -> None:
    """Checks that windows and dense logits are not both chosen.

    Raises:
        ValueError: they are.
    """
    if DENSE.value and WINDOW.value is not None:
        raise ValueError("--dense scores each 8 frames, without windows: omit --window")
