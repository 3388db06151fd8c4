"""Models run on a clip as its frames come, and what is kept of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import keras
import numpy as np

from ...data.preprocessing import Streams, normalize
from . import pieces


class Shown(NamedTuple):
    """Some frames of a clip, evenly spread.

    Attributes:
        numbers: int `(shown,)`, their places in the clip.
        frames: float32 `(shown, height, width, channels)` in [-1, 1].
        count: frames of the clip.
    """

    numbers: np.ndarray
    frames: np.ndarray
    count: int

    @classmethod
    def of_clip(cls, clip: np.ndarray, how_many: int) -> "Shown":
        """Takes frames out of a clip `(frames, height, width, channels)`."""
        numbers = spread(len(clip), how_many)
        return cls(numbers, clip[numbers], len(clip))


class Run(NamedTuple):
    """What models gave of a clip.

    Attributes:
        outputs: by stream its endpoints, float32 with a batch of one first.
        shown: by stream some of its frames.
        num_frames: frames of the longest stream.
    """

    outputs: dict[str, dict[str, np.ndarray]]
    shown: dict[str, Shown]
    num_frames: int


def spread(count: int, how_many: int) -> np.ndarray:
    """Places of at most `how_many` of `count` frames, in the middles of equal parts."""
    numbers = ((np.arange(how_many) + 0.5) * count / max(how_many, 1)).astype(int)
    return np.unique(numbers.clip(max=count - 1))


class PlacesMean:
    """Means of places in time that come in blocks."""

    def __init__(self):
        self._sum = self._first = self._last = 0.0
        self._count = 0

    def add(self, block: np.ndarray) -> None:
        """Adds places `(places, ...)`."""
        if not len(block):
            return
        if not self._count:
            self._first = block[0].astype(np.float64)
        self._last = block[-1].astype(np.float64)
        self._sum = self._sum + block.sum(0, dtype=np.float64)
        self._count += len(block)

    def mean(self) -> np.ndarray:
        """Mean with equal weight, float32."""
        return (self._sum / self._count).astype(np.float32)

    def mean_of_pairs(self) -> np.ndarray:
        """Mean of the means of neighbours, as I3D's classifier pools time, float32."""
        ends = (self._first + self._last) / 2
        return ((self._sum - ends) / (self._count - 1)).astype(np.float32)


class DenseHead:
    """Dense logits of places of `Mixed_5c` that come in blocks.

    Args:
        run: of `head_part`, of dense logits.
    """

    def __init__(self, run: Callable):
        self._run = run
        self._held = None

    def add(self, block: np.ndarray) -> np.ndarray:
        """Adds places `(places, h, w, channels)`.

        Returns:
            float32 `(places, num_classes)`, one less of the first block: each is of two
            neighbours.
        """
        if self._held is not None:
            block = np.concatenate([self._held, block])
        self._held = block[-1:]
        if len(block) > 1:
            return pieces.call_part(self._run, block[None])[0]
        # There are no logits of a single place, but their shape is known.
        return pieces.call_part(self._run, np.concatenate([block] * 2)[None])[0, :0]


def head_part(
    model: keras.Model,
    *,
    prepare: Callable[[keras.Model], Callable] = lambda part: part,
) -> Callable:
    """The part of a model from `Mixed_5c` to its logits.

    Args:
        model: an `InceptionI3d` with logits, or a copy with its layers' names.
        prepare: as of `PiecewiseModel`.
    """
    features = model.get_layer(pieces.LAST).output
    return prepare(keras.Model(features, model.get_layer("Logits").output))


def head_of(
    model: keras.Model,
    *,
    prepare: Callable[[keras.Model], Callable] = lambda part: part,
) -> Callable[[PlacesMean], np.ndarray]:
    """Makes a function from the places of a clip to its logits.

    Args:
        model: an `InceptionI3d` with logits, or a copy with its layers' names.
        prepare: as of `PiecewiseModel`.

    Returns:
        Function from `PlacesMean` of `Mixed_5c` to logits, float32 `(num_classes,)` or
        `(h, w, num_classes)`.
    """
    run = head_part(model, prepare=prepare)
    # The classifier is linear: logits of the mean are the mean of the logits.
    return lambda places: pieces.call_part(
        run, np.stack([places.mean_of_pairs()] * 2)[None]
    )[0]


class LongClipModel:
    """A model of one stream that runs on clips of any length.

    Args:
        model: an `InceptionI3d`, or a folded copy, that has Mixed_5c and Logits.
        prepare: as of `pieces.PiecewiseModel`.
    """

    def __init__(self, model, *, prepare=lambda part: part):
        self.trunk = pieces.PiecewiseModel(model, prepare=prepare)
        self.head = head_of(model, prepare=prepare)


def run(
    models: Mapping[str, LongClipModel],
    frames: Iterable[Streams],
    counts: Mapping[str, int],
    endpoints: Iterable[str] = ("Logits",),
    *,
    show: int = 0,
) -> Run:
    """Logits of a clip, its places if they are wanted, and some of its frames.

    Args:
        models: by stream.
        frames: of each frame its streams, uint8 or float32 in [-1, 1]; the last may
            lack the flow.
        counts: expected frames of each stream.
        endpoints: "Logits" and "Mixed_5c", or one of them.
        show: how many frames of each stream to keep.

    Raises:
        pieces.CountError: there were not as many frames.
    """
    blocks = {name: [] for name in models}
    kept = {name: {} for name in models}
    trunks = {name: model.trunk for name, model in models.items()}
    wanted = {name: set(spread(counts[name], show).tolist()) for name in models}
    means = {name: PlacesMean() for name in models}

    def keep(frames):
        for number, streams in enumerate(frames):
            for name in streams:
                if number in wanted[name]:
                    kept[name][number] = streams[name]
            yield streams

    def use(name, block):
        means[name].add(block)
        if pieces.LAST in endpoints:
            blocks[name].append(block)

    found = pieces.run_streams(trunks, keep(frames), counts, use)
    outputs, shown = {}, {}
    for name, model in models.items():
        outputs[name] = {"Logits": model.head(means[name])[None]}
        if blocks[name]:
            outputs[name][pieces.LAST] = np.concatenate(blocks[name])[None]
        if show:
            frames = normalize({name: np.stack([*kept[name].values()])})[name]
            shown[name] = Shown(np.array([*kept[name]]), frames, counts[name])
    return Run(outputs, shown, max(found.values()))
