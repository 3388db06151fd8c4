"""Outcomes of the clips of record files, listed as they are prepared."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from ...utils import files, fingerprint
from ...utils.journal import JsonRows, read_rows
from ..clips import Clip

# Reading small files waits for storage, not for the processor.
_THREADS = 16


class Outcome(NamedTuple):
    """The outcome of preparing a clip."""

    path: str
    example_id: str
    num_frames: int  # 0 when it failed
    reason: str  # empty unless it failed
    seconds: float
    damage: dict | None = None  # `Damage.counts` of a clip with damaged frames
    fingerprint: str = ""  # of the video; empty in files of earlier versions


def read_outcomes(shards: Iterable[str]) -> dict[str, list[Outcome]]:
    """Reads the outcomes so far of the clips of record files.

    Args:
        shards: paths of the record files, finished or not.

    Returns:
        Outcomes by path; none for files that have not been begun.

    Raises:
        OSError: a list cannot be read.
        ValueError: a list is damaged.
    """

    def read(shard):
        rows = read_rows(work_file(shard, "done"), JsonRows())
        return [Outcome(*row) for row in rows]

    shards = list(shards)
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(shards, pool.map(read, shards), strict=True))


def remove_changed(plan: Mapping[str, Sequence[Clip]]) -> list[str]:
    """Deletes the record files of videos that have changed since.

    Args:
        plan: the clips by path of the record file; those that exist are looked at.

    Returns:
        Paths of the videos that have changed.

    Raises:
        OSError: a file cannot be read or deleted.
    """
    done = [shard for shard in plan if files.exists(shard)]
    today = fingerprint.of_files(clip.path for shard in done for clip in plan[shard])
    changed = []
    for shard, outcomes in read_outcomes(done).items():
        found = [
            clip.path
            for clip, outcome in zip(plan[shard], outcomes, strict=False)
            if _is_changed(clip.path, outcome.fingerprint, today[clip.path], shard)
        ]
        if found:
            files.remove(shard)
        changed += found
    return list(dict.fromkeys(changed))


def _is_changed(path, before, today, shard):
    if not before and not files.is_address(shard):
        return fingerprint.is_newer(path, shard)
    return bool(before and today) and before != today


def remove_failed(shards: Iterable[str]) -> None:
    """Deletes the record files in which clips failed, so that they are written again.

    Raises:
        OSError: a file cannot be read or deleted.
    """
    for shard, outcomes in read_outcomes(shards).items():
        if any(outcome.reason for outcome in outcomes):
            files.remove(shard)


def count_outcomes(shard: str) -> int:
    """Number of clips of a record file that are done so far."""
    path = work_file(shard, "done")
    if not files.exists(path):
        return 0
    with files.open_file(path, "rb") as file:
        return file.read().count(b"\n")


def work_file(shard: str, kind: str) -> str:
    """Path of a record file's list of clips (kind "clips") or of outcomes ("done")."""
    folder, _, name = shard.rpartition("/")
    return files.join(folder, "work", f"{name}.{kind}.jsonl")
