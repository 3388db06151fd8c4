"""Median of 5x5 pixels as a Numba kernel: `cv2.medianBlur`, edges repeated."""

import functools

from numba.core import types
from numba.extending import intrinsic

from ..median_network import median_of_rows, sort_five
from .jit import inline
from .simd import LANES, greater, lanes, lesser, load_vector, store, store_vector


def _comparison(builder):
    return functools.partial(lesser, builder), functools.partial(greater, builder)


@intrinsic
def _sort_rows(typing, array, places, target, index, pitch):
    """Sorts five rows column by column, 16 columns: the least at `index`."""

    def generate(context, builder, signature, args):
        array, places, target, index, pitch = args
        kind, _, target_kind, *_ = signature.args
        values = [
            load_vector(context, builder, kind, array, builder.extract_value(places, i))
            for i in range(5)
        ]
        for value in sort_five(values, *_comparison(builder)):
            store_vector(context, builder, target_kind, target, index, value)
            index = builder.add(index, pitch)
        return context.get_dummy_value()

    rows = types.UniTuple(types.intp, 5)
    return types.void(array, rows, target, types.intp, types.intp), generate


@intrinsic
def _median(typing, array, index, pitch):
    """Medians around 16 columns of five sorted rows, the least at `index`."""

    def generate(context, builder, signature, args):
        array, index, pitch = args

        def read(row):
            offset = builder.mul(pitch, pitch.type(row))
            for column in range(-2, 3):
                place = builder.add(index, builder.add(offset, pitch.type(column)))
                yield load_vector(context, builder, signature.args[0], array, place)

        return median_of_rows(map(read, range(5)), *_comparison(builder))

    return lanes(array, types.intp, types.intp), generate


@inline
def filter_median(source, target, rows, state, shape):
    """Filters a plane of the state into another.

    Args:
        source: place of the first pixel of the one.
        target: of the other.
        rows: float32 of five rows and `2 * LANES` more columns, overwritten.
        state: float32 planes, flat.
        shape: a plane's `Shape`.
    """
    height, stride = shape.height, shape.stride
    columns, width = shape.columns, shape.width
    pitch = width + 2 * LANES
    for y in range(height):
        for x in range(0, width, LANES):
            i = source + x
            places = (
                i + max(y - 2, 0) * stride,
                i + max(y - 1, 0) * stride,
                i + y * stride,
                i + min(y + 1, height - 1) * stride,
                i + min(y + 2, height - 1) * stride,
            )
            _sort_rows(state, places, rows, x + LANES, pitch)
        for k in range(5):
            left = k * pitch + LANES
            right = left + columns - 1
            rows[left - 1] = rows[left - 2] = rows[left]
            rows[right + 1] = rows[right + 2] = rows[right]
        row = target + y * stride
        for x in range(0, width, LANES):
            store(state, row + x, _median(rows, x + LANES, pitch))
        state[row + columns : row + width] = 0
