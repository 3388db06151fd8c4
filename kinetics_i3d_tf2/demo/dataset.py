"""The demonstration's dataset: drawn clips as mp4 files, in a folder per class."""

import os
from collections.abc import Iterable, Mapping

import av
import numpy as np

from ..arguments import suggest_arguments
from ..utils import files
from . import drawn_folder, scenes

SPLITS = ("train", "val")
# Key frames only, all with one quantizer: how a frame is coded then depends on what it
# shows and not on its place, which would reveal the direction of time.
CLIP_CODING = {"g": "1", "qp": "26", "bf": "0", "preset": "fast", "threads": "1"}


@suggest_arguments
def make_demo_dataset(
    folder: str | os.PathLike,
    *,
    train: int = 1200,
    val: int = 400,
    seed: int = 0,
    processes: int | None = None,
) -> None:
    """Draws short clips of eight actions whose labels depend on the order of frames.

    The classes are four pairs, such as opening and closing a door. Two classes of a
    pair differ only in the direction of time, so no single frame tells them apart.

    Clips are `SPLIT/CLASS/NUMBER.mp4` (14 to 16 frames of 256x256 pixels at 25 frames
    per second), as `read_folder` reads them. The same seed gives the same files. After
    an interruption, or for more clips, the same call adds those that are missing.

    Args:
        folder: folder of the dataset, local or an address.
        train: training clips, a multiple of 8: the same number for each class.
        val: validation clips, likewise.
        seed: seed of everything random, at least 0.
        processes: processes that draw at the same time, by default one per core; 1
            draws in this process. They do not change what is drawn.

    Raises:
        OSError: a file cannot be written, or a process was killed.
        ValueError: a count or the seed is out of range, or the folder has other files
            or was created with another seed.

    Examples:
        >>> i3d.make_demo_dataset("clips", train=160, val=80)
        >>> len(i3d.read_folder("clips").split("train"))
        160
    """
    drawn_folder.check_numbers(seed, processes)
    plan = make_plan({"train": train, "val": val})
    if not plan:
        raise ValueError("train and val are both 0: there is nothing to draw")
    keys = {name: (seed, *numbers) for name, numbers in plan.items()}
    with drawn_folder.claim(folder, keys, str(seed)) as folder:
        drawn_folder.draw_missing(folder, keys, _write_clip, processes)


def make_plan(counts: dict[str, int]) -> dict[str, tuple[int, int, int]]:
    """Lists the files of a dataset.

    Args:
        counts: clips of each of `SPLITS`.

    Returns:
        Numbers of split, class and clip, by the file's path in the dataset.

    Raises:
        ValueError: a count is negative or not a multiple of the number of classes.
    """
    plan = {}
    for split, name in enumerate(SPLITS):
        each, rest = divmod(counts[name], len(scenes.ACTIONS))
        if rest or each < 0:
            raise ValueError(
                f"{name} must be a multiple of {len(scenes.ACTIONS)}, the number of "
                f"classes, and at least 0. Received: {counts[name]}"
            )
        for number in range(each):
            for label, action in enumerate(scenes.ACTIONS):
                plan[f"{name}/{action.name}/{number:04d}.mp4"] = split, label, number
    return plan


def write_video(
    path: str | os.PathLike,
    frames: Iterable[np.ndarray],
    coding: Mapping[str, str] = CLIP_CODING,
) -> None:
    """Encodes frames as H.264, by default each independently of its place in the clip.

    Args:
        path: local mp4 file to write, of any suffix.
        frames: uint8 `(scenes.SIZE, scenes.SIZE, 3)` each, RGB; 25 per second.
        coding: options of x264.

    Raises:
        OSError: the file cannot be written.
    """
    with av.open(os.fspath(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options=dict(coding))
        stream.height = stream.width = scenes.SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_clip(path, key):
    """Draws and writes one clip; key is the seed, then split, class and clip number."""
    rng = np.random.default_rng(np.random.SeedSequence(key))
    frames = scenes.render(scenes.ACTIONS[key[2]], rng)
    with files.atomic_writer(path) as temporary:
        write_video(temporary, frames)
