"""Small trainings: a few steps of narrow models on videos of one shade each."""

import csv
import shutil
import threading
from pathlib import Path

import numpy as np
import tensorflow as tf
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import TrainingData, TrainingOptions, read_folder, train
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import BundleReader
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.training.recipe import TrainingRecipe

WIDTH = 1 / 16
CLIP = ClipRecipe(num_frames=9, short_side=200, crop_size=200)
I3D = TrainingRecipe(clip=CLIP, steps=2, batch_size=2, rates=((0, 0.01),))
# Takes a quarter of I3D's time to build and compile.
C3D = TrainingRecipe(
    model="c3d",
    clip=ClipRecipe.of_model("c3d"),
    steps=2,
    batch_size=2,
    rates=((0, 0.01),),
)


def write_videos(folder: Path, counts: dict[str, int]) -> Path:
    """Writes so many videos of each split, in turn bright and dark, each its own."""
    for split, count in counts.items():
        for number in range(count):
            name = ("bright", "dark")[number % 2]
            path = folder / split / name / f"{number}.mkv"
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = brightness_frames(12, (48, 36), step=7) // (1 + number % 2)
            write_video(path, np.roll(frames, number, 0), codec="ffv1")
    return folder


def read_videos(folder: Path) -> TrainingData:
    """The splits `train` and `val` of a folder of videos."""
    table = read_folder(folder)
    return TrainingData(table.split("train"), table.split("val"), table.class_names)


def run(recipe, data, folder, *, stop=None, **options):
    """Trains on one device; checkpoints at the end unless `checkpoint_every` is set."""
    options = {"width": WIDTH, "checkpoint_every": recipe.steps, **options}
    return train(
        recipe,
        data,
        folder,
        options=TrainingOptions(**options),
        strategy=tf.distribute.get_strategy(),
        stop=stop,
    )


class CopyAfterOneStep(threading.Event):
    """A `stop` that stops nothing and copies the run's folder as of its first step.

    Resumed, the copy is a run that was interrupted there.
    """

    def __init__(self, folder: Path, copy: Path):
        super().__init__()
        self._paths = folder, copy

    def is_set(self):
        if not self._paths[1].exists():
            shutil.copytree(*self._paths, symlinks=True)
        return False


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    """All variables of a run's newest checkpoint, by name."""
    reader = BundleReader(folder / "last")
    return {name: reader.read(name) for name, _, _ in reader.entries()}


def largest_difference(first: dict, second: dict) -> float:
    """Of two results of `weights_of`."""
    assert first.keys() == second.keys()
    return max(np.abs(first[name] - second[name]).max() for name in first)


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Rows of a run's log.csv."""
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))
