"""Which frames a place of the trunk sees, from the table of the architecture."""

from typing import NamedTuple

from .architecture import TRUNK, Conv, Pool


class Field(NamedTuple):
    """Items of the input that output place i depends on, along time.

    Attributes:
        stride: items from one place to the next.
        before: items before item `stride * i`, at most.
        after: items after it, at most.
    """

    stride: int
    before: int
    after: int


def temporal_field(last: str, first: str | None = None) -> Field:
    """The field of an endpoint of the trunk along time.

    Args:
        last: name of the endpoint.
        first: endpoint whose output is the input; by default that is the clip.

    Returns:
        The field, for inputs of any length: SAME padding shifts it by one item or
        another with the remainder of the length by the stride.
    """
    names = [row.name for row in TRUNK]
    begin = 0 if first is None else names.index(first) + 1
    stride, low, high = 1, 0, 0
    for row in reversed(TRUNK[begin : names.index(last) + 1]):
        kernel, step = _time_kernel(row)
        padded = [padding_before(kernel, step, length) for length in range(step)]
        low = low * step - max(padded)
        high = high * step - min(padded) + kernel - 1
        stride *= step
    return Field(stride, -low, high)


def padding_before(kernel: int, step: int, length: int) -> int:
    """Items that SAME padding puts before the first one.

    Args:
        kernel: items of a window.
        step: items from one window to the next.
        length: items of the axis; only its remainder by `step` matters.
    """
    return max(kernel - (length % step or step), 0) // 2


def _time_kernel(row):
    """Kernel and stride of a row along time."""
    if isinstance(row, Pool):
        return row.window[0], row.strides[0]
    if isinstance(row, Conv):
        return row.kernel, row.stride
    return 3, 1  # The largest of a block's branches.
