"""Whole clips read one after another, by threads that are ahead of their user."""

import collections
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from ..utils.errors import reason
from . import clip_reader
from .clip_recipe import ClipRecipe
from .clips import NO_LABEL, Clip
from .tfrecord import Record


class ReadClip(NamedTuple):
    """A whole clip, or why there is none."""

    number: int  # in the dataset
    source: Clip | Record
    example_id: str = ""  # "" of a record that cannot be parsed
    label: int = NO_LABEL
    streams: dict[str, np.ndarray] | None = None  # as those of samples.whole_clip
    error: str = ""


def read_in_order(
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    numbers: Iterable[int],
    *,
    threads: int | None = None,
) -> Iterator[ReadClip]:
    """Reads clips side by side and yields them in order, damaged ones with the reason.

    The work is done by FFmpeg and OpenCV, outside the interpreter lock.

    Args:
        sources: the dataset.
        recipe: streams and short side.
        numbers: which of the clips, in which order.
        threads: clips that are read at once, and held in memory ahead of the user; by
            default the number of cores.

    Yields:
        The clips.
    """
    threads = threads or num_cores()
    pending = collections.deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for number in numbers:
            pending.append(pool.submit(_read, number, sources[number], recipe))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # A clip whose flow is being computed is not waited for.
        pool.shutdown(wait=False, cancel_futures=True)


def _read(number, source, recipe):
    name, label = "", NO_LABEL
    try:
        reader = clip_reader.open_clip(source, recipe)
        name, label = reader.example_id, reader.label
        streams = reader.read(0, None)
    except (ValueError, OSError) as error:
        why = reason(error, source.path)
        return ReadClip(number, source, name, label, None, why)
    return ReadClip(number, source, name, label, streams)


def num_cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Of a container, not of its host.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
