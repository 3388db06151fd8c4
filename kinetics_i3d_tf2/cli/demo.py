r"""Makes a dataset to try everything with, where labels are in the order of frames.

  i3d demo make DIR

Short drawn clips as real mp4 files, 256x256 at 25 frames a second, of eight classes in
four pairs: opening and closing a door, sitting down and standing up, picking up and
putting down, pushing and pulling. The two of a pair differ in the direction of time
alone, so no single frame tells them apart. Files are DIR/train/CLASS/NUMBER.mp4 and
DIR/val/CLASS/NUMBER.mp4, as `read_folder` and `prepare --dataset=folder` take them.

The same seed gives the same files, however many processes draw them. Stopped or
killed, the same command goes on after the files that are whole.
"""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool

import av
import cv2
import numpy as np
from absl import flags
from tqdm import tqdm

from ..demo import scenes
from ..utils import files, run_dir

_TRAIN = flags.DEFINE_integer(
    "train", 1200, "Clips for training, of all eight classes together.", 0
)
_VAL = flags.DEFINE_integer("val", 400, "Unseen clips for validation, likewise.", 0)
_SEED = flags.DEFINE_integer("seed", 0, "What everything random follows from.", 0)
_PROCESSES = flags.DEFINE_integer(
    "processes", os.cpu_count(), "Processes that draw at the same time.", 1
)

SPLITS = ("train", "val")
_USAGE = "expected: i3d demo make DIR"
_SEED_FILE = "seed.txt"
# A key frame each, all with one quantizer and nothing carried over: how a frame is
# coded depends on what it shows and not on its place, which would give away the
# direction of time.
_CODING = {"g": "1", "qp": "26", "bf": "0", "preset": "fast", "threads": "1"}


def main(argv):
    """Makes what the command line asks for."""
    folder = _folder(argv[1:])
    counts = {"train": _TRAIN.value, "val": _VAL.value}
    plan = make_plan(counts)
    if not plan:
        raise ValueError("There is nothing to make: --train and --val are both 0")
    _claim(folder, plan, _SEED.value)
    with run_dir.only_run(folder):
        write_clips(folder, plan, _SEED.value, _PROCESSES.value)
    print(
        f"{counts['train']} clips for training and {counts['val']} for validation, of "
        f"{len(scenes.ACTIONS)} classes, in {folder}"
    )


def make_plan(counts: dict[str, int]) -> dict[str, tuple[int, int, int]]:
    """Says which clip is in which file.

    Args:
        counts: clips of each of `SPLITS`.

    Returns:
        Numbers of split, class and clip, by the name of the file in the dataset.

    Raises:
        ValueError: a count is not the same for each class.
    """
    plan = {}
    for split, name in enumerate(SPLITS):
        each, rest = divmod(counts[name], len(scenes.ACTIONS))
        if rest:
            raise ValueError(
                f"--{name} must be a multiple of {len(scenes.ACTIONS)}, the number of "
                f"classes. Received: {counts[name]}"
            )
        for number in range(each):
            for label, action in enumerate(scenes.ACTIONS):
                path = f"{name}/{action.name}/{number:04d}.mp4"
                plan[path] = split, label, number
    return plan


def write_clips(folder: str, plan: dict, seed: int, processes: int) -> None:
    """Writes the clips of a plan that are not there, with a progress bar.

    Args:
        folder: of the dataset, local or an address.
        plan: as of `make_plan`.
        seed: what everything random follows from.
        processes: how many draw at the same time; they do not change what is drawn.

    Raises:
        OSError: a file cannot be written, or a process was killed.
    """
    present = set(files.files_below(folder)) if files.is_dir(folder) else set()
    left = {}
    for name, numbers in plan.items():
        path = files.join(folder, name)
        if path not in present:
            left[path] = numbers
    for parent in {path.rpartition("/")[0] for path in left}:
        files.make_dirs(parent)
    run_dir.clear_unfinished(left)
    # Spawned, as threads of OpenCV do not survive a fork.
    pool = concurrent.futures.ProcessPoolExecutor(
        max(1, min(processes, len(left))),
        multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
    )
    bar = tqdm(
        desc="Making", total=len(plan), initial=len(plan) - len(left), unit="clip"
    )
    try:
        with bar:
            jobs = [pool.submit(_write_clip, p, (seed, *n)) for p, n in left.items()]
            for job in concurrent.futures.as_completed(jobs):
                job.result()
                bar.update()
    except BrokenProcessPool as error:
        raise OSError(
            "A process that draws clips was killed, perhaps for want of memory; the "
            "same command goes on where this one ended"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def write_video(path: os.PathLike, frames: np.ndarray) -> None:
    """Encodes frames as H.264 so that the order does not change how each is coded.

    Args:
        path: local file to write, of any suffix.
        frames: uint8 (frames, height, width, 3), RGB, even sizes; 25 a second.

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


def _write_clip(path, key):
    """Draws and writes one clip: key is the seed and numbers of split, class, clip."""
    rng = np.random.default_rng(np.random.SeedSequence(key))
    frames = scenes.render(scenes.ACTIONS[key[2]], rng)
    with files.atomic_writer(path) as temporary:
        write_video(temporary, frames)


def _begin_worker():
    """Leaves Ctrl-C to the parent, ends when that is killed, and keeps to one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)

    def end_with_parent():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _folder(arguments):
    """The folder that the positional arguments name."""
    command, *rest = arguments or [None]
    if command != "make":
        problem = f"Unknown command '{command}'" if command else "No command"
        raise ValueError(f"{problem}; {_USAGE}")
    if len(rest) != 1:
        problem = f"Unknown argument '{rest[1]}'" if rest else "No folder"
        raise ValueError(f"{problem}; {_USAGE}")
    return rest[0].rstrip("/") or "/"


def _claim(folder, plan, seed):
    """Refuses a folder of other things; marks it with the seed."""
    seed_file = files.join(folder, _SEED_FILE)
    if files.exists(folder) and not files.is_dir(folder):
        raise ValueError(f"{folder}: is a file; name a folder")
    found = files.files_below(folder) if files.is_dir(folder) else []
    allowed = {seed_file, *(files.join(folder, name) for name in plan)}
    for path in found:
        if path not in allowed:
            raise ValueError(
                f"{path}: is not of the dataset that is asked for; name another or an "
                "empty folder, or the --train and --val that this one was made with"
            )
    if seed_file in found:
        with files.open_file(seed_file) as file:
            made_with = file.read().strip()
        if made_with != str(seed):
            raise ValueError(
                f"{folder}: was begun with --seed={made_with}; go on with that, or "
                "name another folder"
            )
    elif found:
        raise ValueError(f"{folder}: holds videos and no {_SEED_FILE}; name another")
    else:
        files.make_dirs(folder)
        with files.atomic_writer(seed_file) as temporary:
            temporary.write_text(f"{seed}\n", encoding="utf-8")
