"""I3D on clips of any length: overlapping pieces whose places are the whole clip's.

A place of the trunk depends on a hundred frames. The trunk is cut in two, at
`MaxPool3d_4a_3x3`: before it a place sees at most 29 frames, so that pieces overlap by
little, and after it a second of video is small. Pieces begin at multiples of the stride
and have the whole clip's remainder by it, hence the same SAME padding at every layer.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
from absl import logging

from ...data.preprocessing import normalize
from ...models.architecture import ENDPOINTS
from ...models.receptive_field import Field, temporal_field

# Inputs of a piece of each part: 256 frames, and what 1024 frames leave after the cut.
PIECE = 256
_CUT = "MaxPool3d_4a_3x3"
LAST = "Mixed_5c"
HEADS = ("Logits", "Predictions")


class CountError(ValueError):
    """A clip has another number of frames than expected.

    Attributes:
        count: how many it has.
    """

    def __init__(self, count: int):
        super().__init__(f"the clip has {count} frames, not as many as expected")
        self.count = count


class Pieces:
    """One part of a network, on a sequence that comes item by item.

    Args:
        run: from a batch of one piece `(1, items, ...)` to its places `(1, ...)`.
        field: items that a place depends on.
        count: number of items of the whole sequence; only its remainder by the stride
            matters before the end.
        length: items of a piece, a multiple of the stride, above what a place sees.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], np.ndarray],
        field: Field,
        count: int,
        length: int,
    ):
        self._run = run
        self._field = field
        self._rest = count % field.stride
        self._length = length + self._rest
        self._held = []
        self._first = 0  # number of the first item that is held
        self._done = 0  # places that were given

    def add(self, item: np.ndarray) -> Iterator[np.ndarray]:
        """Takes the next item; yields the places that are complete, in blocks."""
        # A piece waits for the next item: it may be the last one.
        if len(self._held) == self._length:
            end = self._first + self._length
            yield self._places((end - 1 - self._field.after) // self._field.stride + 1)
            stride = self._field.stride
            first = max(0, (self._done * stride - self._field.before) // stride)
            del self._held[: first * stride - self._first]
            self._first = first * stride
        self._held.append(item)

    def finish(self) -> Iterator[np.ndarray]:
        """Yields the places that are left.

        Raises:
            CountError: the sequence has another remainder than expected.
        """
        count = self._first + len(self._held)
        if count % self._field.stride != self._rest:
            raise CountError(count)
        yield self._places(-(-count // self._field.stride))

    def _places(self, end):
        """Places from those that are done to `end`."""
        piece = np.stack(self._held)[None]
        offset = self._first // self._field.stride
        block = self._run(piece)[0, self._done - offset : end - offset]
        self._done = end
        return block


class PiecewiseModel:
    """An `InceptionI3d`, or a copy with its layers' names, for clips of any length.

    Args:
        model: the model.
        endpoint: whose places are wanted; "Mixed_5c" for the logits.
        prepare: makes a function of a part of the model, for example `graph.freeze`.
        length: items of a piece, a multiple of 4.
    """

    def __init__(
        self,
        model: keras.Model,
        endpoint: str = LAST,
        *,
        prepare: Callable[[keras.Model], Callable] = lambda part: part,
        length: int = PIECE,
    ):
        self._length = length
        order = ENDPOINTS.index
        cuts = [_CUT, endpoint] if order(endpoint) > order(_CUT) else [endpoint]
        self._parts = []
        for first, last in zip([None, *cuts[:-1]], cuts, strict=True):
            inputs = model.input if first is None else model.get_layer(first).output
            outputs = keras.ops.cast(model.get_layer(last).output, "float32")
            run = prepare(keras.Model(inputs, outputs))
            run = functools.partial(call_part, run)
            self._parts.append((run, temporal_field(last, first)))

    def start(self, count: int) -> "PiecewiseClip":
        """Begins a clip of `count` frames."""
        parts = []
        for run, field in self._parts:
            parts.append(Pieces(run, field, count, self._length))
            count = -(-count // field.stride)
        return PiecewiseClip(parts)


class PiecewiseClip:
    """A clip that goes through a model frame by frame."""

    def __init__(self, parts):
        self._parts = parts
        self.frames = 0

    def add(self, frame: np.ndarray) -> Iterator[np.ndarray]:
        """Takes a frame `(height, width, channels)`, uint8 or float32 in [-1, 1].

        Yields:
            Blocks of places `(places, h, w, channels)`, float32.
        """
        self.frames += 1
        yield from self._pass_on(0, frame)

    def finish(self) -> Iterator[np.ndarray]:
        """Yields the blocks that are left.

        Raises:
            CountError: there were more or fewer frames than expected.
        """
        for index, part in enumerate(self._parts):
            for block in part.finish():
                yield from self._pass_block(index + 1, block)

    def _pass_on(self, index, item):
        for block in self._parts[index].add(item):
            yield from self._pass_block(index + 1, block)

    def _pass_block(self, index, block):
        if index == len(self._parts):
            yield block
            return
        for item in block:
            yield from self._pass_on(index, item)


def run_streams(
    models: Mapping[str, PiecewiseModel],
    frames: Iterable[Mapping[str, np.ndarray]],
    counts: Mapping[str, int],
    use: Callable[[str, np.ndarray], Any],
) -> dict[str, int]:
    """Runs models on the streams of one clip as its frames come.

    Args:
        models: by stream.
        frames: of each, its streams; some may lack one, as the last lacks flow.
        counts: expected number of frames of each stream.
        use: takes the stream's name and a block of places.

    Returns:
        How many frames each stream had.

    Raises:
        CountError: a stream had another number of frames, of another remainder by the
            stride; its `count` is the length of `frames`.
    """
    clips = {name: model.start(counts[name]) for name, model in models.items()}
    total = 0
    for frame in frames:
        total += 1
        for name in models.keys() & frame.keys():
            for block in clips[name].add(frame[name]):
                use(name, block)
    try:
        for name, clip in clips.items():
            for block in clip.finish():
                use(name, block)
    except CountError as error:
        raise CountError(total) from error
    return {name: clip.frames for name, clip in clips.items()}


def with_right_count(attempt: Callable[[int], Any], count: int) -> Any:
    """Calls a function with an expected number of frames, again if it was wrong.

    Args:
        attempt: takes the number of frames; raises CountError with the right one.
        count: the expected number, for example out of the header of a file.
    """
    try:
        return attempt(count)
    except CountError as error:
        logging.info(
            "There are %d frames, not the %d that the file announces; starting again",
            error.count, count,
        )  # fmt: skip
        return attempt(error.count)


def call_part(run, piece):
    """Runs a part of a model on a batch of pixels or of places.

    Args:
        run: the part.
        piece: uint8 or float32 `(batch, items, ...)`.

    Returns:
        float32 `(batch, ...)`.
    """
    return keras.ops.convert_to_numpy(run(normalize({"clip": piece})["clip"]))
