"""Folders of drawn videos: begun with a seed, resumed, by several processes."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool

import cv2

from ..utils import files, run_dir
from ..utils.cores import num_cores
from ..utils.progress import Bar

_SEED_FILE = "seed.txt"


def check_numbers(seed: int, processes: int | None) -> None:
    """Checks what all datasets are made with.

    Raises:
        ValueError: one of them is out of range.
    """
    if seed < 0:
        raise ValueError(f"seed must be at least 0. Received: {seed}")
    if processes is not None and processes < 1:
        raise ValueError(f"processes must be at least 1. Received: {processes}")


@contextlib.contextmanager
def claim(
    folder: str | os.PathLike, names: Collection[str], seed: str
) -> Iterator[str]:
    """Locks a folder and marks it with the seed; resumes one that has it.

    Args:
        folder: the folder, new or empty or of the same dataset; local or an address.
        names: files of the dataset, below the folder.
        seed: the seed, and what else decides what is drawn, such as "0, 60 seconds".

    Yields:
        The folder.

    Raises:
        OSError: a file cannot be written.
        ValueError: it is a file, or has other files or another seed.
    """
    folder = os.fspath(folder).rstrip("/") or "/"
    _check(folder, names, seed)
    files.make_dirs(folder)
    with run_dir.only_run(folder):
        # Another run may have begun since.
        if _check(folder, names, seed):
            with files.atomic_writer(files.join(folder, _SEED_FILE)) as temporary:
                temporary.write_text(f"{seed}\n", encoding="utf-8")
        yield folder


def draw_missing(
    folder: str,
    keys: Mapping[str, tuple],
    draw: Callable[[str, tuple], None],
    processes: int | None = None,
    *,
    unit: str = "clip",
) -> None:
    """Draws the videos that are missing, with a progress bar.

    Args:
        folder: as of `claim`.
        keys: what `draw` gets for each file, by its name below the folder.
        draw: function of a module that writes a file: of its path and its key.
        processes: processes that draw at the same time, by default one per core; 1
            draws in this process.
        unit: what a video is called.

    Raises:
        OSError: a file cannot be written, or a process was killed.
    """
    present = set(files.files_below(folder))
    paths = {files.join(folder, name): key for name, key in keys.items()}
    missing = {path: key for path, key in paths.items() if path not in present}
    for parent in {path.rpartition("/")[0] for path in missing}:
        files.make_dirs(parent)
    run_dir.clear_unfinished(folder)
    with Bar(
        desc="Drawing", total=len(paths), initial=len(paths) - len(missing), unit=unit
    ) as bar:
        for _ in _drawn(missing, draw, min(processes or num_cores(), len(missing))):
            bar.update()


def _check(folder, names, seed):
    """Whether a folder is new; rejects one with other content."""
    if files.exists(folder) and not files.is_dir(folder):
        raise ValueError(f"{folder}: is a file; use a folder")
    seed_file = files.join(folder, _SEED_FILE)
    found = files.files_below(folder) if files.is_dir(folder) else []
    if not found:
        return True
    expected = {seed_file, *(files.join(folder, name) for name in names)}
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
    if created_with != seed:
        raise ValueError(
            f"{folder}: was created with seed {created_with}; use the same seed, or "
            "another folder"
        )
    return False


def _drawn(keys, draw, processes) -> Iterator[None]:
    """Draws videos, and yields as each is done."""
    if processes <= 1:
        for path, key in keys.items():
            yield draw(path, key)
        return
    # Spawned, because threads of OpenCV do not survive a fork.
    pool = concurrent.futures.ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
    )
    try:
        jobs = [pool.submit(draw, path, key) for path, key in keys.items()]
        for job in concurrent.futures.as_completed(jobs):
            yield job.result()
    except BrokenProcessPool as error:
        raise OSError(
            "a process that draws clips was killed, perhaps because memory ran out; "
            "start again to resume"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker():
    """Leaves Ctrl-C to the parent, ends when that is killed, and uses one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)

    def end_with_parent():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
