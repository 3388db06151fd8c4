"""Features of whole videos of any length, in the memory of a short one."""

from collections.abc import Callable, Iterable, Mapping

import keras
import numpy as np

from ..data.preprocessing import Streams
from ..inference import graph
from ..inference.scores import probabilities_of
from ..inference.streaming import pieces
from ..inference.streaming.long_clips import DenseHead, PlacesMean, head_part
from ..models.architecture import ENDPOINTS
from ..streams import CHANNELS


class WholeVideos:
    """Makes features of whole videos, whose frames come one by one.

    Args:
        models: folded models by stream, with the endpoint, or with Mixed_5c and dense
            Logits.
        endpoint: one of `InceptionI3d.VALID_ENDPOINTS`.
        axes: those of a clip `(batch, t, h, w, channels)` that are averaged.
        activation: what `Predictions` are of `Logits`.
    """

    def __init__(
        self,
        models: Mapping[str, keras.Model],
        endpoint: str,
        axes: tuple[int, ...],
        activation: str,
    ):
        self._streams = [name for name in CHANNELS if name in models]
        self._endpoint, self._axes, self._activation = endpoint, axes, activation
        is_head = endpoint in pieces.HEADS
        self._heads = {
            name: head_part(model, prepare=graph.freeze) if is_head else None
            for name, model in models.items()
        }
        last = pieces.LAST if is_head else endpoint
        self._trunks = {
            name: pieces.PiecewiseModel(model, last, prepare=graph.freeze)
            for name, model in models.items()
        }

    def __call__(
        self, read: Callable[[], Iterable[Streams]], count: int
    ) -> tuple[np.ndarray, int]:
        """Extracts the features of a video.

        Args:
            read: gives its frames as of `FrameReader.read`; called again if there are
                not as many as expected.
            count: expected number of frames.

        Returns:
            float32 features of the video, those of all its frames at once, and the
            number of frames.

        Raises:
            OSError: out of `read`, and so are the others.
            ValueError: it cannot be read.
        """
        return pieces.with_right_count(lambda count: self._run(read(), count), count)

    def _run(self, frames, count):
        kept = {name: _Kept(self._axes, self._heads[name]) for name in self._streams}
        counts = dict.fromkeys(self._streams, count)
        found = pieces.run_streams(
            self._trunks, frames, counts, lambda name, block: kept[name].add(block)
        )
        values = [kept[name].values() for name in self._streams]
        if self._endpoint == ENDPOINTS[-1]:
            values = [probabilities_of(each, self._activation) for each in values]
        return np.concatenate([*values], axis=-1), max(found.values())


class _Kept:
    """What is kept of blocks of places: their mean over time, or all of them."""

    def __init__(self, axes, head):
        self._head = None if head is None else DenseHead(head)
        self._space = tuple(axis - 1 for axis in axes if axis > 1)
        self._has_mean = 1 in axes
        self._places = PlacesMean()
        self._blocks = []

    def add(self, block):
        if self._head:
            block = self._head.add(block)
        if self._space:
            block = block.mean(self._space)
        if self._has_mean:
            self._places.add(block)
        else:
            self._blocks.append(block)

    def values(self):
        if self._has_mean:
            return self._places.mean()
        return np.concatenate(self._blocks)
