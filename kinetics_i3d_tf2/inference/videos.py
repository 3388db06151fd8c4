"""Models run on many videos, which threads read ahead of them."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..data import prefetch
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.records.tfrecord import Record
from ..utils.errors import problem_of
from ..video.damage import Damage
from .frames import MAX_WHOLE
from .windows import Window, Windows

# Windows of a video that may wait for the model, in addition to those of a batch.
_BUFFER_SIZE = 4


class End(NamedTuple):
    """The end of a video's windows.

    Attributes:
        error: why its reading ended early, on one line; "" if it did not.
        damage: counts of damaged and missing frames, if there are any.
        long: of a whole video (`Windows.length` 0) that is too long to hold and was not
            read, the number of its frames; it has no window.
    """

    error: str = ""
    damage: Damage | None = None
    long: int = 0


def run_windows(
    sources: Sequence[Clip | Record],
    run: Callable[[dict[str, np.ndarray]], np.ndarray],
    windows: Windows,
    reader: FrameReader,
    *,
    batch_size: int = 4,
    threads: int = 1,
) -> Iterator[tuple[Window | End, np.ndarray | None]]:
    """Runs a model on the windows of videos, in full batches, holding few windows.

    Args:
        sources: the videos or records.
        run: from a batch of clips by stream, as `reader` gives their frames, to an
            array `(batch, ...)`.
        windows: which frames are seen together.
        reader: how videos are read.
        batch_size: windows that go through the model at once.
        threads: videos that are read at once.

    Yields:
        Each window, without its clip, and its output; after the last window of a video
        its `End`, and None. In order.

    Raises:
        MemoryError: the machine's memory ran out.
    """
    readers = (functools.partial(_read, reader, windows, source) for source in sources)
    items = prefetch.in_threads(
        readers, threads=min(threads, len(sources)), buffer_size=_BUFFER_SIZE
    )
    yield from prefetch.in_batches(run, items, batch_size)


def _read(reader, windows, source):
    """Yields windows with their clips, then how reading ended, without one."""
    found = []
    try:
        if windows.length == 0 and (count := reader.count(source)) > MAX_WHOLE:
            yield End("", None, count), None
            return
        for window in windows.cut(reader.read(source, on_damage=found.append)):
            yield window._replace(clip=None), window.clip
    except Exception as caught:  # One bad video must not stop the others.
        yield End(problem_of(caught, source.path), found[0] if found else None), None
        return
    yield End("", found[0] if found else None), None
