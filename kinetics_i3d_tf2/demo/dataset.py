"""The demonstration's dataset: drawn clips as mp4 files, in a folder per class."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool

import av
import cv2
import numpy as np

from ..arguments import suggest_arguments
from ..utils import files, run_dir
from ..utils.cores import num_cores
from ..utils.progress import Bar
from . import scenes

SPLITS = ("train", "val")
_SEED_FILE = "seed.txt"
# Key frames only, all with one quantizer: how a frame is coded then depends on what it
# shows and not on its place, which would reveal the direction of time.
_CODING = {"g": "1", "qp": "26", "bf": "0", "preset": "fast", "threads": "1"}


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
    folder = os.fspath(folder).rstrip("/") or "/"
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed}")
    if processes is not None and processes < 1:
        raise ValueError(f"processes must be at least 1. Received: {processes}")
    plan = make_plan({"train": train, "val": val})
    if not plan:
        raise ValueError("train and val are both 0: there is nothing to draw")
    _check(folder, plan, seed)
    files.make_dirs(folder)
    with run_dir.only_run(folder):
        _claim(folder, plan, seed)  # Another run may have begun since.
        _write_clips(folder, plan, seed, processes or num_cores())


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


def write_video(path: str | os.PathLike, frames: np.ndarray) -> None:
    """Encodes frames as H.264, each independently of its place in the clip.

    Args:
        path: local mp4 file to write, of any suffix.
        frames: uint8 `(frames, height, width, 3)`, RGB, even sizes; 25 per second.

    Raises:
        OSError: the file cannot be written.
    """
    with av.open(os.fspath(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options=_CODING)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _claim(folder, plan, seed):
    """Marks a new folder with the seed; rejects one with other content."""
    if _check(folder, plan, seed):
        with files.atomic_writer(files.join(folder, _SEED_FILE)) as temporary:
            temporary.write_text(f"{seed}\n", encoding="utf-8")


def _check(folder, plan, seed):
    """Whether a folder is new; rejects one with other content."""
    if files.exists(folder) and not files.is_dir(folder):
        raise ValueError(f"{folder}: is a file; use a folder")
    seed_file = files.join(folder, _SEED_FILE)
    found = files.files_below(folder) if files.is_dir(folder) else []
    if not found:
        return True
    expected = {seed_file, *(files.join(folder, name) for name in plan)}
    for path in found:
        if path not in expected:
            raise ValueError(
                f"{path}: is not part of this dataset; use another or an empty folder, "
                "or at least as many clips as it was created with"
            )
    if seed_file not in found:
        raise ValueError(
            f"{folder}: contains videos but no {_SEED_FILE}; use another folder"
        )
    with files.open_file(seed_file) as file:
        created_with = file.read().strip()
    if created_with != str(seed):
        raise ValueError(
            f"{folder}: was created with seed {created_with}; use the same seed, or "
            "another folder"
        )
    return False


def _write_clips(folder, plan, seed, processes):
    """Writes the clips that are missing, with a progress bar."""
    present = set(files.files_below(folder))
    keys = {
        files.join(folder, name): (seed, *numbers) for name, numbers in plan.items()
    }
    missing = {path: key for path, key in keys.items() if path not in present}
    for parent in {path.rpartition("/")[0] for path in missing}:
        files.make_dirs(parent)
    run_dir.clear_unfinished(folder)
    with Bar(
        desc="Drawing", total=len(plan), initial=len(plan) - len(missing), unit="clip"
    ) as bar:
        for _ in _written(missing, min(processes, len(missing))):
            bar.update()


def _written(keys, processes) -> Iterator[None]:
    """Writes clips, and yields as each is done."""
    if processes <= 1:
        for path, key in keys.items():
            yield _write_clip(path, key)
        return
    # Spawned, because threads of OpenCV do not survive a fork.
    pool = concurrent.futures.ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
    )
    try:
        jobs = [pool.submit(_write_clip, path, key) for path, key in keys.items()]
        for job in concurrent.futures.as_completed(jobs):
            yield job.result()
    except BrokenProcessPool as error:
        raise OSError(
            "a process that draws clips was killed, perhaps because memory ran out; "
            "start again to resume"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _write_clip(path, key):
    """Draws and writes one clip; key is the seed, then split, class and clip number."""
    rng = np.random.default_rng(np.random.SeedSequence(key))
    frames = scenes.render(scenes.ACTIONS[key[2]], rng)
    with files.atomic_writer(path) as temporary:
        write_video(temporary, frames)


def _begin_worker():
    """Leaves Ctrl-C to the parent, ends when that is killed, and uses one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)

    def end_with_parent():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
