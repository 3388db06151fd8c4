"""The demonstration's long videos as mp4 files, with a CSV of who does what when."""

import csv
import io
import os
from types import MappingProxyType

import numpy as np

from ..arguments import suggest_arguments
from ..utils import files
from . import drawn_folder, minutes
from .dataset import write_video

SPLITS = ("train", "val", "test")
LABELS_FILE = "labels.csv"
_SHORTEST = 8.0  # seconds, in which everyone acts at least once
_CODING = MappingProxyType(
    {"g": "25", "qp": "26", "bf": "0", "preset": "fast", "threads": "1"}
)


@suggest_arguments
def make_long_demo_dataset(
    folder: str | os.PathLike,
    *,
    train: int = 64,
    val: int = 4,
    test: int = 40,
    seconds: float = 60.0,
    seed: int = 0,
    processes: int | None = None,
) -> None:
    """Draws long videos in which several people act at once, and lists their actions.

    Two or three people do the eight actions of `make_demo_dataset` again and again,
    with pauses between; actions of different people overlap. Videos are
    `SPLIT/NUMBER.mp4`, 256x256 pixels at 25 frames per second. `labels.csv` has a row
    for each action: path, label, start and end in seconds, split; `read_intervals`
    reads it. The same seed gives the same files. After an interruption, or for more
    videos, the same call adds those that are missing.

    Args:
        folder: folder of the dataset, local or an address.
        train: training videos.
        val: validation videos.
        test: test videos.
        seconds: length of a video, at least 8.
        seed: seed of everything random, at least 0.
        processes: processes that draw at the same time, by default one per core; 1
            draws in this process. They do not change what is drawn.

    Raises:
        OSError: a file cannot be written, or a process was killed.
        ValueError: a number is out of range, or the folder has other files or was
            created with another seed or length.

    Examples:
        >>> i3d.make_long_demo_dataset("minutes", train=2, val=0, test=0)
        >>> i3d.read_intervals("minutes/labels.csv").clips[0].intervals[0].label
        'pushing'
    """
    drawn_folder.check_numbers(seed, processes)
    counts = {"train": train, "val": val, "test": test}
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} must be at least 0. Received: {count}")
    if not any(counts.values()):
        raise ValueError("train, val and test are all 0: there is nothing to draw")
    if not seconds >= _SHORTEST:
        raise ValueError(f"seconds must be at least {_SHORTEST:g}. Received: {seconds}")
    keys = {
        f"{split}/{number:04d}.mp4": (seed, place, number, float(seconds))
        for place, split in enumerate(SPLITS)
        for number in range(counts[split])
    }
    names = [LABELS_FILE, *keys]
    with drawn_folder.claim(folder, names, f"{seed}, {seconds:g} seconds") as folder:
        with files.atomic_writer(files.join(folder, LABELS_FILE)) as temporary:
            temporary.write_text(_labels(keys), encoding="utf-8")
        drawn_folder.draw_missing(folder, keys, _write_minute, processes, unit="video")


def _labels(keys):
    """The CSV of all actions, video by video, in order of their start."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", "label", "start", "end", "split"])
    for name, key in keys.items():
        cast = minutes.make_cast(_generator(key), key[-1])
        moves = [move for actor in cast for move in actor.moves]
        for move in sorted(moves, key=lambda move: move.start):
            row = [name, move.action.name, f"{move.start:g}", f"{move.end:g}"]
            rows.writerow([*row, name.split("/")[0]])
    return text.getvalue()


def _generator(key):
    return np.random.default_rng(np.random.SeedSequence(key[:-1]))


def _write_minute(path, key):
    """Draws a video; key is the seed, the numbers of split and video, and seconds."""
    rng = _generator(key)
    cast = minutes.make_cast(rng, key[-1])
    with files.atomic_writer(path) as temporary:
        write_video(temporary, minutes.render(cast, rng, key[-1]), _CODING)
