r"""Draws a small dataset whose labels depend on the order of frames.

  i3d demo make DIR

Clips are mp4 files of 256x256 pixels at 25 frames per second, in eight classes that
form four pairs: opening and closing a door, sitting down and standing up, picking up
and putting down, pushing and pulling. The two classes of a pair differ only in the
direction of time, so no single frame tells them apart. Files are
DIR/train/CLASS/NUMBER.mp4 and DIR/val/CLASS/NUMBER.mp4, which the other commands read
with --dataset=folder --videos=DIR.

With --long, videos last a minute, and two or three people do these actions again and
again, each at their own pace:

  i3d demo make --long DIR

Files are DIR/SPLIT/NUMBER.mp4 of the splits train, val and test, and DIR/labels.csv
with the time of each action, for --dataset=intervals --annotations=DIR/labels.csv.

The same seed gives the same files. If the command is stopped or killed, run it again
to draw the clips that are missing.
"""

from absl import flags

from ..utils import files
from ..utils.cores import num_cores

_LONG = flags.DEFINE_boolean(
    "long", False, "Videos of a minute with several actions at once, and their times."
)
_TRAIN = flags.DEFINE_integer(
    "train", None, "Training clips of all eight classes, 1200; of --long videos, 64.", 0
)
_VAL = flags.DEFINE_integer("val", None, "Those for validation, 400; of --long, 4.", 0)
_TEST = flags.DEFINE_integer("test", None, "Test videos of --long, 40.", 0)
_SECONDS = flags.DEFINE_float("seconds", None, "Seconds of a --long video, 60.", 8)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of everything random.", 0)
_PROCESSES = flags.DEFINE_integer(
    "processes", num_cores(), "Processes that draw at the same time.", 1
)

_USAGE = "expected: i3d demo make DIR"


def main(argv):
    """Makes the dataset that the flags specify."""
    folder = _folder(argv[1:])
    files.check_writable(folder)
    options = {"seed": _SEED.value, "processes": _PROCESSES.value}
    if _LONG.value:
        print(_draw_long(folder, options))
        return
    for flag in (_TEST, _SECONDS):
        if flag.present:
            raise ValueError(f"--{flag.name} is for --long")
    import kinetics_i3d_tf2 as i3d

    train, val = _or(_TRAIN, 1200), _or(_VAL, 400)
    i3d.make_demo_dataset(folder, train=train, val=val, **options)
    print(
        f"{train} clips for training and {val} for validation, of 8 classes, in "
        f"{folder}"
    )


def _draw_long(folder, options):
    """Draws long videos, and tells how many there are."""
    import kinetics_i3d_tf2 as i3d

    counts = {"train": _or(_TRAIN, 64), "val": _or(_VAL, 4), "test": _or(_TEST, 40)}
    i3d.make_long_demo_dataset(folder, **counts, seconds=_or(_SECONDS, 60.0), **options)
    table = i3d.read_intervals(files.join(folder, "labels.csv"))
    actions = sum(len(clip.intervals) for clip in table)
    train, val, test = counts.values()
    return (
        f"{train} videos for training, {val} for validation and {test} for testing, "
        f"with {actions} actions of {len(table.class_names)} classes, in {folder}"
    )


def _or(flag, default):
    return default if flag.value is None else flag.value


def _folder(arguments):
    """The folder in the positional arguments."""
    command, *rest = arguments or [None]
    if command != "make":
        problem = f"Unknown command '{command}'" if command else "No command"
        raise ValueError(f"{problem}; {_USAGE}")
    if len(rest) != 1:
        problem = f"Unknown argument '{rest[1]}'" if rest else "No folder"
        raise ValueError(f"{problem}; {_USAGE}")
    return rest[0].rstrip("/") or "/"
