"""Work that is done ahead of its user: iterators in threads, models in full batches."""

import collections
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

# How often a thread that waits looks whether it is still needed, in seconds.
_LOOK = 0.1
_END = object()


def in_threads(
    makers: Iterable[Callable[[], Iterator]], *, threads: int = 1, ahead: int = 4
) -> Iterator[Any]:
    """Chains iterators that run in threads, side by side.

    Args:
        makers: functions that make the iterators; each is called in a thread.
        threads: how many run at once.
        ahead: items of each iterator that may wait for their user.

    Yields:
        The items of the first, then of the second, and so on. An error of an iterator
        is raised in its place.
    """
    stop = threading.Event()
    running = collections.deque()
    try:
        for maker in makers:
            running.append(_start(maker, ahead, stop))
            if len(running) > threads - 1:
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
    """Calls a function with full batches of clips, whatever they belong to.

    Args:
        function: from a dict of arrays `(batch, ...)` to an array `(batch, ...)`.
        items: pairs of anything and a clip, which is a dict of arrays; or None, for
            what there is no clip of.
        batch_size: clips a batch; there are fewer in the last, and where the shape of
            clips changes.

    Yields:
        In the same order, pairs of the same and the clip's output, or None.
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


def _run(function, waiting):
    clips = [clip for _, clip in waiting if clip is not None]
    outputs = iter(())
    if clips:
        outputs = iter(function({n: np.stack([c[n] for c in clips]) for n in clips[0]}))
    for key, clip in waiting:
        yield key, None if clip is None else next(outputs)


def _start(maker, ahead, stop):
    """Starts a thread; returns the queue of its items, with the error that ends it."""
    items = queue.Queue(ahead)

    def put(item):
        while not stop.is_set():
            try:
                items.put(item, timeout=_LOOK)
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
