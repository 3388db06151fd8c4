r"""Draws a small dataset whose labels depend on the order of frames.

  i3d demo make DIR

Clips are mp4 files of 256x256 pixels at 25 frames per second, in eight classes that
form four pairs: opening and closing a door, sitting down and standing up, picking up
and putting down, pushing and pulling. The two classes of a pair differ only in the
direction of time, so no single frame tells them apart. Files are
DIR/train/CLASS/NUMBER.mp4 and DIR/val/CLASS/NUMBER.mp4, which the other commands read
with --dataset=folder --videos=DIR.

The same seed gives the same files. If the command is stopped or killed, run it again
to draw the clips that are missing.
"""

from absl import flags

from ..utils import files
from ..utils.cores import num_cores

_TRAIN = flags.DEFINE_integer("train", 1200, "Training clips of all eight classes.", 0)
_VAL = flags.DEFINE_integer("val", 400, "Validation clips of all eight classes.", 0)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of everything random.", 0)
_PROCESSES = flags.DEFINE_integer(
    "processes", num_cores(), "Processes that draw at the same time.", 1
)

_USAGE = "expected: i3d demo make DIR"


def main(argv):
    """Makes the dataset that the flags specify."""
    folder = _folder(argv[1:])
    files.check_writable(folder)
    import kinetics_i3d_tf2 as i3d

    i3d.make_demo_dataset(
        folder,
        train=_TRAIN.value,
        val=_VAL.value,
        seed=_SEED.value,
        processes=_PROCESSES.value,
    )
    print(
        f"{_TRAIN.value} clips for training and {_VAL.value} for validation, of 8 "
        f"classes, in {folder}"
    )


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
