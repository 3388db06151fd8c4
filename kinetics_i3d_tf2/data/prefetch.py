"""Iterators that run in threads ahead of their user, and models run on full batches."""

import collections
import functools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..utils.cores import num_cores
from ..utils.errors import problem_of
from ..video.damage import Damage
from . import clip_streams
from .clip_recipe import ClipRecipe
from .clips import NO_LABEL, Clip
from .records.tfrecord import Record

# How often a waiting thread checks whether it is still needed, in seconds.
_POLL = 0.1
_END = object()


class ReadClip(NamedTuple):
    """A whole clip, or why it cannot be read.

    Attributes:
        number: index in the dataset.
        source: the video or record.
        example_id: its name; "" of a record that cannot be parsed.
        label: label index, or `NO_LABEL`.
        streams: as of `clip_reader.whole_clip`; None of a clip that is too long.
        error: why it cannot be read, or "".
        damage: counts of damaged and missing frames, if there are any.
        long: of a clip that is too long to hold, how many frames it announces.
    """

    number: int
    source: Clip | Record
    example_id: str = ""
    label: int = NO_LABEL
    streams: dict[str, np.ndarray] | None = None
    error: str = ""
    damage: Damage | None = None
    long: int = 0


def read_in_order(
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    numbers: Iterable[int],
    *,
    threads: int | None = None,
    longest: int | None = None,
) -> Iterator[ReadClip]:
    """Reads whole clips in parallel and yields them in order.

    The work is done by FFmpeg and OpenCV, outside the interpreter lock. Threads are not
    waited for when the iterator is closed.

    Args:
        sources: the dataset.
        recipe: streams and short side.
        numbers: indices of the clips to read, in order.
        threads: clips that are read at once, and held in memory until they are used; by
            default the number of cores.
        longest: frames above which a clip is not read but `long`.

    Yields:
        The clips; those that cannot be read have an `error`.
    """
    readers = (
        functools.partial(_read_clip, number, sources[number], recipe, longest)
        for number in numbers
    )
    # One more, so that `threads` read while a clip is being used.
    yield from in_threads(readers, threads=(threads or num_cores()) + 1, buffer_size=1)


def in_threads(
    makers: Iterable[Callable[[], Iterator]],
    *,
    threads: int = 1,
    buffer_size: int = 4,
) -> Iterator[Any]:
    """Chains iterators that run in threads, in parallel.

    Args:
        makers: functions that return the iterators; each is called in a thread.
        threads: number of iterators that run at once.
        buffer_size: items of each iterator that are kept until they are used.

    Yields:
        The items of the first, then of the second, and so on. An exception in an
        iterator is raised in its place.
    """
    stop = threading.Event()
    running = collections.deque()
    try:
        for maker in makers:
            running.append(_start(maker, buffer_size, stop))
            if len(running) >= threads:
                yield from _drain(running.popleft())
        while running:
            yield from _drain(running.popleft())
    finally:
        stop.set()


def in_batches(
    function: Callable[[dict[str, np.ndarray]], np.ndarray],
    items: Iterable[tuple[Any, dict[str, np.ndarray] | None]],
    batch_size: int,
) -> Iterator[tuple[Any, np.ndarray | None]]:
    """Calls a function with full batches of clips, across videos.

    Args:
        function: from a dict of arrays `(batch, ...)` to an array `(batch, ...)`.
        items: pairs of a key and a clip, which is a dict of arrays or None.
        batch_size: clips per batch; the last batch, and one before the shape of clips
            changes, may be smaller.

    Yields:
        In the same order, pairs of the key and the clip's output; None for None.
    """
    waiting, count, shapes = [], 0, None
    for key, clip in items:
        if clip is not None:
            new = {name: stream.shape for name, stream in clip.items()}
            if count and new != shapes:
                yield from _run(function, waiting)
                waiting, count = [], 0
            count, shapes = count + 1, new
        waiting.append((key, clip))
        if count == batch_size or not count:
            yield from _run(function, waiting)
            waiting, count = [], 0
    yield from _run(function, waiting)


def _read_clip(number, source, recipe, longest):
    """Yields the one clip."""
    clip = ReadClip(number, source)
    try:
        reader = clip_streams.open_clip(source, recipe)
        clip = clip._replace(example_id=reader.example_id, label=reader.label)
        if longest is not None and (count := len(reader)) > longest:
            clip = clip._replace(long=count)
        else:
            clip = clip._replace(streams=reader.read(0, None))
            clip = clip._replace(damage=reader.damage)
    except Exception as caught:  # One bad clip must not stop the others.
        clip = clip._replace(error=problem_of(caught, source.path))
    yield clip


def _run(function, waiting):
    clips = [clip for _, clip in waiting if clip is not None]
    outputs = iter(())
    if len(clips) == 1:  # Without a copy.
        outputs = iter(function({name: clip[None] for name, clip in clips[0].items()}))
    elif clips:
        outputs = iter(function({n: np.stack([c[n] for c in clips]) for n in clips[0]}))
    for key, clip in waiting:
        yield key, None if clip is None else next(outputs)


def _start(maker, buffer_size, stop):
    """Starts a thread; returns the queue of its items, with the error that ends it."""
    items = queue.Queue(buffer_size)

    def put(item):
        while not stop.is_set():
            try:
                items.put(item, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def run():
        error = None
        try:
            for item in maker():
                if not put((item, None)):
                    return
        except Exception as caught:  # It is raised where the items are taken.
            error = caught
        put((_END, error))

    threading.Thread(target=run, daemon=True).start()
    return items


def _drain(items):
    while True:
        item, error = items.get()
        if error is not None:
            raise error
        if item is _END:
            return
        yield item
