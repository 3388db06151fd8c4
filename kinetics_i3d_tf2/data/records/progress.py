"""The progress of writing record files, on any number of machines."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence

from ...utils import files
from ...utils.progress import Bar
from ..clips import Clip
from .outcomes import count_outcomes


@contextlib.contextmanager
def shown(
    planned: Mapping[str, Sequence[Clip]], left: Mapping[str, Sequence[Clip]]
) -> Iterator[None]:
    """Shows a bar that follows the lists which the workers write, wherever they run.

    Args:
        planned: all clips by path of the record file.
        left: those of the record files that are being written; at least one.
    """
    total = sum(map(len, planned.values()))
    finished = total - sum(map(len, left.values()))
    waiting = {shard: len(clips) for shard, clips in left.items()}
    is_over = threading.Event()
    interval = 30.0 if files.is_address(next(iter(left))) else 1.0
    options = {"total": total, "initial": finished, "unit": "clip"}

    def update():
        nonlocal finished
        begun = 0
        for shard, count in list(waiting.items()):
            done = count_outcomes(shard)
            if done == count:
                finished += waiting.pop(shard)
            else:
                begun += done
        bar.update(max(0, finished + begun - bar.n))

    def follow():
        while not is_over.wait(interval):
            update()

    # Clips come in bursts; their average predicts best.
    with Bar(desc="Preparing", smoothing=0, **options) as bar:
        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            update()
