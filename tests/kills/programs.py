"""The programs that write, with small inputs, and how their results are compared."""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

# What depends on the time that something took.
_TIMES = re.compile(
    rb'"(seconds|clips_per_second)": [^,\n]+|(?<=, "", )[\d.e-]+(?=, null, ")'
)
_RGB = ("--eval_type=rgb", "--rgb_checkpoint={inputs}/rgb")
_DATA = ("--dataset=folder", "--videos={inputs}/videos")


class Program(NamedTuple):
    """A program that writes.

    Attributes:
        arguments: its command line, in which `{inputs}` and `{out}` are folders.
        ignored: names of files and folders that differ from run to run.
        next: folder that a second process writes if the first is done: it is left out.
    """

    arguments: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    next: str = ""


PROGRAMS = {
    "demo make": Program(("demo", "make", "{out}", "--train=32", "--val=8")),
    "prepare": Program(
        ("prepare", *_DATA, "--out={out}", "--flow=none", "--short_side=36",
         "--num_shards=4"),
    ),
    "train": Program(
        ("train", *_DATA, "--out={out}", "--recipe=finetune_full", "--init=none",
         "--model=c3d", "--width=0.0625", "--batch_size=2", "--steps=4",
         "--checkpoint_every=1", "--strategy=one_device"),
        ("log.csv", "curves.png", "tensorboard"),
    ),
    "classify": Program(
        ("classify", "{inputs}/videos", *_RGB, "--top=1", "--out={out}/labels.csv")
    ),
    "evaluate": Program(
        ("evaluate", *_DATA, *_RGB, "--out={out}", "--short_side=200",
         "--crop_size=193")
    ),
    "features": Program(
        ("features", "{inputs}/videos", *_RGB, "--window=9", "--out={out}")
    ),
    "fvd": Program(
        ("fvd", "{inputs}/videos/train", "{inputs}/videos/val", "--num_frames=9",
         "--rgb_checkpoint={inputs}/rgb", "--save_real={out}/real.npz",
         "--save_fake={out}/fake.npz", "--json={out}/fvd.json"),
    ),
    "export": Program(
        ("export", *_RGB, "--out={out}"), ("fingerprint.pb",), next="2"
    ),
    "inflate": Program(
        ("inflate", "--from={inputs}/slim.ckpt", "--out={out}/")
    ),
    "checkpoint import": Program(
        ("checkpoint", "import", "{inputs}/rgb.pt", "--out={out}")
    ),
    "checkpoint --copy_to": Program(
        ("checkpoint", "{inputs}/rgb", "--copy_to={out}")
    ),
    "checkpoint export": Program(
        ("checkpoint", "export", "{inputs}/rgb", "--format=keras",
         "--out={out}/i3d.keras"),
    ),
}  # fmt: skip


def write_inputs(folder: Path) -> None:
    """Writes the videos and checkpoints that the programs read."""
    import port_files
    import recipe
    import slim
    import trainings

    from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
    from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name
    from kinetics_i3d_tf2.data.labels import write_label_map

    trainings.write_videos(folder / "videos", {"train": 8, "val": 6})
    model = recipe.assign(InceptionI3d(2, width=1 / 16))
    save_checkpoint(model, folder / "rgb" / "model.ckpt", scope="RGB")
    write_label_map(folder / "rgb" / "label_map.txt", ("bright", "dark"))
    values = {sonnet_name(v): v.numpy() for v in model.weights}
    port_files.write_pytorch(values, folder / "rgb.pt")
    weights = slim.weights_of(slim.images_network())
    slim.write_slim(folder / "slim.ckpt", slim.slim_names(weights))


def result(program: Program, folder: Path) -> dict[str, bytes]:
    """What a program wrote: contents by name, without times; arrays as values.

    Locks are left out; any other hidden file, such as one half-written, is not.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        ignored = {".lock", *program.ignored}
        if (
            path.is_dir()
            or ignored & set(place.parts)
            or place.parts[0] == program.next
        ):
            continue
        name = str(place)
        found[name] = path.read_bytes()
        if path.suffix in (".json", ".jsonl"):
            found[name] = _TIMES.sub(b"", found[name])
        if path.suffix in _ARRAYS:
            found[name] = repr(_ARRAYS[path.suffix](path)).encode()
    return found


def _of_npz(path):
    with np.load(path) as arrays:
        return [(name, arrays[name].dtype, arrays[name].tobytes()) for name in arrays]


def _of_keras(path):
    values = []
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file:
        h5py.File(file).visititems(
            lambda name, item: (
                isinstance(item, h5py.Dataset)
                and values.append((name, item[()].tobytes()))
            )
        )
    return values


# Archives have the time in them.
_ARRAYS = {".npz": _of_npz, ".keras": _of_keras}
