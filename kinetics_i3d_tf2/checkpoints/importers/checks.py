"""Validates that tensors are those of an I3D, of any width and number of classes."""

import math
from collections.abc import Mapping, Sequence

from ...utils.errors import DetailedError
from .stored import Stored
from .units import UNITS

STREAMS = {3: "rgb", 2: "flow"}  # by channels of the first kernel
_SHOWN = 8  # of a long list


def check_shapes(by_role: Mapping[str, Mapping[str, Stored]]) -> None:
    """Checks all shapes and dtypes before any value is read.

    Filters may be those of any width; they must agree from unit to unit.

    Args:
        by_role: tensors by scope and role; kernels are (time, height, width, in, out).

    Raises:
        DetailedError: some are wrong; its details are all of them.
    """
    problems, filters = [], {}
    for unit in UNITS:
        roles = by_role.get(unit.scope)
        if roles is None:
            continue
        kernel = roles["kernel"].shape
        inputs = [filters.get(scope, 0) for scope in unit.inputs]
        channels = sum(inputs) if unit.inputs else "2 or 3"
        fits = len(kernel) == 5 and kernel[:3] == (unit.kernel,) * 3 and kernel[4] > 0
        if fits:
            fits = kernel[3] in (channels if unit.inputs else 0, *_streams_of(unit))
        if not fits:
            wanted = f"[{', '.join([str(unit.kernel)] * 3)}, {channels}, filters]"
            problems.append(f"{unit.scope}: kernel of {list(kernel)}, not {wanted}")
        filters[unit.scope] = kernel[-1] if kernel else 0
        for role, stored in roles.items():
            if role != "kernel" and _vector(stored.shape) != (filters[unit.scope],):
                problems.append(
                    f"{unit.scope}: {role} of {list(stored.shape)}, not "
                    f"[{filters[unit.scope]}]"
                )
            if not stored.dtype.startswith(("float", "bfloat")):
                problems.append(f"{unit.scope}: {role} of dtype {stored.dtype}")
    raise_all(problems)


def _streams_of(unit):
    return () if unit.inputs else STREAMS


def _vector(shape):
    """The shape of a vector, which Sonnet 1 and Flax keep as `[1, 1, 1, 1, C]`."""
    return (math.prod(shape),) if shape and shape[-1] == math.prod(shape) else shape


def raise_all(problems: list[str]) -> None:
    """Raises one error for all problems.

    Raises:
        DetailedError: there are problems.
    """
    if problems:
        raise DetailedError(f"does not fit I3D, {len(problems)} problems:", problems)


def some(items: Sequence[str]) -> str:
    """Joins the first items, and counts the rest."""
    more = f", and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
