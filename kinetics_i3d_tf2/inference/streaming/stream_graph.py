"""I3D on a sequence of frames that comes in parts, each layer with its halo in time.

A layer that looks at several items in time keeps the last items of its input, its
halo, until the next part, and pads SAME in space alone. Nothing is computed twice.
Items before the first frame and after the last are zeros: SAME padding adds these to
inputs of convolutions, and to those of max pools, which are never negative, they make
no difference.
"""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from ...models.architecture import HEAD_WINDOW, TIME_STRIDE, TRUNK, Conv, Pool
from ...models.receptive_field import padding_before
from .. import graph


class Step(NamedTuple):
    """The function of the parts of a clip.

    Attributes:
        run: from a dict of tensors to one. In: "clip", float32 `(1, part, height,
            width, channels)`; "first", the number of its first frame, and "count", the
            number of frames of the whole clip, float32 `(1,)`; and the halos by name.
            Out: "logits", `(1, places, ...)`, and the new halos.
        halos: shape and dtype of each halo, without the batch.
        late: places that are still to come before the first place of a part.
    """

    run: Callable
    halos: dict[str, tuple[tuple[int, ...], str]]
    late: int


class StreamGraph:
    """Makes the functions that run a model part by part.

    Args:
        model: an `InceptionI3d` with its logits. Its weights are copied.
        dtype: dtype policy of its trunk, "float32" or "bfloat16".
        part: frames of a part, a multiple of 8.

    Raises:
        ValueError: `part` is no multiple of 8, or the model has no logits.
    """

    def __init__(self, model, *, dtype: str = "float32", part: int = TIME_STRIDE):
        if part < 1 or part % TIME_STRIDE:
            raise ValueError(
                f"part must be a multiple of {TIME_STRIDE} frames. Received: {part}"
            )
        self.model, self.part = model, part
        dense = model.endpoint_model(["Logits"], temporal="dense")
        self._folded = graph.fold_batch_norm(dense, dtype=dtype)
        self.step = functools.cache(self._step)

    def _step(self, height: int, width: int, rest: int) -> Step:
        """The function of a size of frames.

        Args:
            height: of the frames, in pixels.
            width: likewise.
            rest: remainder of the number of frames by 8.
        """
        shape = (self.part, height, width, self.model.num_channels)
        builder = _Builder(shape, rest)
        step = builder.build(self._folded)
        if keras.backend.backend() == "tensorflow":
            run = graph.freeze(step)
        else:
            run = step
        halos = {k: (tuple(v.shape[1:]), v.dtype) for k, v in builder.halos.items()}
        return Step(run, halos, builder.late)


class _Items(NamedTuple):
    """Items of a part: those from `part / stride * number - late` on."""

    values: keras.KerasTensor
    stride: int  # frames from one to the next
    late: int


class _Builder:
    """One Keras model of a part."""

    def __init__(self, shape, rest):
        self._part, self._rest = shape[0], rest
        self._clip = keras.Input(shape, dtype="float32", name="clip")
        self._first, self._count = (
            keras.Input((), dtype="float32", name=name) for name in ("first", "count")
        )
        self._names = (f"halo_{number:02}" for number in itertools.count())
        self._copies = []
        self.halos, self._outputs = {}, {}
        self.late = 0

    def build(self, folded):
        items = _Items(self._clip, 1, 0)
        for row in TRUNK:
            layer = folded.get_layer(row.name)
            if isinstance(row, Conv):
                items = self._unit(row.name, layer, items)
            elif isinstance(row, Pool):
                items = self._windows(items, row.window[0], row.strides[0])
                items = self._run(row.name, layer, row.window, row.strides, items)
            else:
                items = self._block(row.name, layer, items)
        items = self._windows(items, HEAD_WINDOW[0], 1)
        self.late = items.late
        # Its pool has no padding, hence no edges.
        self._outputs["logits"] = folded.get_layer("Logits")(items.values)
        for copy, layer in self._copies:
            copy.set_weights(layer.get_weights())
        own = {"clip": self._clip, "first": self._first, "count": self._count}
        return keras.Model(own | self.halos, self._outputs)

    def _unit(self, name, unit, items):
        kernel, strides = unit.convolution.kernel_size, unit.convolution.strides
        items = self._windows(items, kernel[0], strides[0])
        return self._run(name, unit, kernel, strides, items)

    def _block(self, name, block, items):
        """An Inception block; its branches are as late as the latest."""
        around = self._windows(items, 3, 1)
        own = around._replace(values=around.values[:, 1:-1])
        (single,), first, second, (pool, last) = (b.steps for b in block.branches)
        outputs = [self._unit(f"{name}-0", single, own)]
        for number, (reduction, unit) in enumerate((first, second), 1):
            reduced = self._unit(f"{name}-{number}-1x1", reduction, items)
            outputs.append(self._unit(f"{name}-{number}", unit, reduced))
        pooled = self._run(f"{name}-pool", pool, (3, 3, 3), (1, 1, 1), around)
        outputs.append(self._unit(f"{name}-3", last, pooled))
        values = ops.concatenate([output.values for output in outputs], axis=-1)
        return outputs[0]._replace(values=values)

    def _windows(self, items, kernel, step):
        """The items of a layer's windows: its halo, and those of the part."""
        stride = items.stride * step
        length = -(-(self._rest or TIME_STRIDE) // items.stride)
        before = padding_before(kernel, step, length)
        late = -(-(items.late + kernel - before) // step) - 1
        size = late * step + before - items.late
        if size == 0:
            return _Items(items.values, stride, late)
        shape = (size, *items.values.shape[2:])
        name = next(self._names)
        halo = keras.Input(shape, dtype=items.values.dtype, name=name)
        self.halos[name] = halo
        values = ops.concatenate([halo, items.values], axis=1)
        self._outputs[name] = values[:, -size:]
        return _Items(values, stride, late)

    def _run(self, name, layer, kernel, strides, items):
        """A layer on windows, padded in space alone, without what is past an edge."""
        values, padding = items.values, "same"
        if kernel[0] > 1:
            sizes = zip(values.shape[2:4], kernel[1:], strides[1:], strict=True)
            pads = [(0, 0), (0, 0), *(_same(*size) for size in sizes), (0, 0)]
            values, padding = ops.pad(values, pads), "valid"
        values = self._copy(name, layer, padding)(values)
        count = self._part // items.stride
        # Frames that items begin at, and so are in the clip or not.
        frames = (np.arange(count) - items.late) * items.stride
        frames = self._first[:, None] + frames.astype(np.float32)
        is_inside = ops.logical_and(frames >= 0, frames < self._count[:, None])
        is_inside = ops.reshape(is_inside, (-1, count, 1, 1, 1))
        values = ops.where(is_inside, values, ops.zeros_like(values))
        return items._replace(values=values)

    def _copy(self, name, layer, padding):
        """A copy of a layer with its weights, and another padding."""
        config = layer.get_config() | {"name": name, "padding": padding}
        copy = type(layer).from_config(config | {"dtype": layer.dtype_policy})
        self._copies.append((copy, layer))
        return copy


def _same(size, kernel, step):
    """SAME padding of an axis, before and after."""
    total = max((-(-size // step) - 1) * step + kernel - size, 0)
    return padding_before(kernel, step, size), total - total // 2
