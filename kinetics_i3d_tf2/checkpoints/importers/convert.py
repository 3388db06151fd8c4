"""Weights in the names of any implementation to the release's, checked one by one."""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .architectures import name_architecture
from .families import FAMILIES, RENAMED
from .stored import Stored
from .units import CLASSIFIER, UNITS

_STREAMS = {3: "rgb", 2: "flow"}
_SHOWN = 8  # of many differences

# What training adds to the weights, in TensorFlow and Keras; PyTorch's is in dicts of
# its own.
_OF_TRAINING = re.compile(
    r"(^|/)(optimizer|optimizer_weights)/|(^|/)(global_step|save_counter)(/|$)"
    r"|/(Momentum|Adam|Adam_1)$"
)


class Weights(NamedTuple):
    """The weights of an I3D, in the release's names and layout."""

    title: str  # the implementation that they came from
    values: dict[str, np.ndarray]  # float32 by Sonnet name without scope, in name order
    notes: tuple[str, ...]  # what was changed or left out

    @property
    def stream(self) -> str:
        """Either "rgb" or "flow"."""
        return _STREAMS[self.values[f"{UNITS[0].scope}/conv_3d/w"].shape[-2]]

    @property
    def num_classes(self) -> int | None:
        """Number of classes; None without a classifier."""
        bias = self.values.get(f"{CLASSIFIER}/conv_3d/b")
        return None if bias is None else bias.shape[0]


def convert(tensors: Mapping[str, Stored]) -> Weights:
    """Finds an I3D among the tensors of a file, and converts it.

    The scale that batch norm has in PyTorch is multiplied into the kernel and the
    moving mean, which is exact for inference. Half precision becomes float32.

    Args:
        tensors: all tensors of the file, by name; nesting is a "/".

    Returns:
        The weights.

    Raises:
        ValueError: there is no I3D among them, or more than one; tensors are missing,
            unexpected or of other shapes or dtypes (all are listed).
    """
    tensors = {name.replace(*RENAMED): stored for name, stored in tensors.items()}
    family, prefix = _find(tensors)
    found, others = _split(tensors, family, prefix)
    by_role = _by_role(found, family)
    _check(by_role)
    values, folded = {}, 0
    for unit in UNITS:
        roles = by_role.get(unit.scope)
        if roles is not None:
            arrays = {role: _read(stored) for role, stored in roles.items()}
            folded += _fold_scale(arrays)
            values |= _sonnet_values(unit, arrays)
    return Weights(
        family.title,
        dict(sorted(values.items())),
        tuple(_notes(folded, others, by_role)),
    )


def _find(tensors):
    """The implementation by its first kernel, and what is before its names."""
    found = [
        (family, name.removesuffix(first))
        for family in FAMILIES
        for first in (family.name(UNITS[0], "kernel"),)
        for name in tensors
        if name == first or name.endswith(("/" + first, "." + first))
    ]
    if not found:
        raise ValueError(f"holds no weights of I3D: {name_architecture(tensors)}")
    if len(found) > 1:
        prefixes = ", ".join(repr(prefix) for _, prefix in found)
        raise ValueError(
            f"holds {len(found)} models, below {prefixes}; save the one to be imported "
            "in a file of its own"
        )
    return found[0]


def _split(tensors, family, prefix):
    """The model's tensors by their name below the prefix, and names of the others.

    The prefix of a training's file ends in the name of the dict that holds the model;
    what is beside this dict is not the model's.
    """
    own, others = {}, []
    container = prefix[: prefix.rfind("/") + 1]
    for name, stored in tensors.items():
        if name.endswith(family.ignored):
            continue
        if _OF_TRAINING.search(name) or not name.startswith(container):
            others.append(name)
        else:
            own[name.removeprefix(prefix)] = stored
    return own, others


def _by_role(found, family):
    """Tensors by scope and role; raises on what is missing or unexpected."""
    by_role, problems = {}, []
    for unit in UNITS:
        names = family.role_names(unit)
        roles = {role: found.pop(name) for role, name in names.items() if name in found}
        if roles or not unit.is_classifier:
            by_role[unit.scope] = roles
            missing = set(names) - set(roles) - {"gamma"}
            problems += [f"missing: {names[role]}" for role in sorted(missing)]
        if family.kernel_axes and "kernel" in roles:
            roles["kernel"] = _transposed(roles["kernel"], family.kernel_axes)
    problems += [f"unexpected: {name} {list(s.shape)}" for name, s in found.items()]
    _raise_all(problems)
    return by_role


def _transposed(stored, axes):
    if len(stored.shape) != len(axes):
        return stored  # Refused with its shape.
    shape = tuple(stored.shape[axis] for axis in axes)
    return stored._replace(shape=shape, read=lambda: stored.read().transpose(axes))


def _check(by_role):
    """Checks every shape and dtype before any value is read."""
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
    _raise_all(problems)


def _streams_of(unit):
    return () if unit.inputs else _STREAMS


def _vector(shape):
    """The shape of a vector, which Sonnet 1 and Flax keep as `[1, 1, 1, 1, C]`."""
    return (math.prod(shape),) if shape and shape[-1] == math.prod(shape) else shape


def _read(stored):
    return np.asarray(stored.read()).astype(np.float32, copy=False)


def _fold_scale(arrays):
    """Multiplies batch norm's scale into what comes before it; whether it had one."""
    gamma = arrays.pop("gamma", None)
    if gamma is None or np.all(gamma == 1):
        return False
    gamma = gamma.ravel()
    with np.errstate(all="ignore"):  # Values that are not finite stay so.
        arrays["kernel"] = arrays["kernel"] * gamma
        arrays["moving_mean"] = arrays["moving_mean"].ravel() * gamma
    return True


def _sonnet_values(unit, arrays):
    names = {"kernel": "conv_3d/w", "bias": "conv_3d/b"}
    return {
        f"{unit.scope}/{names.get(role, f'batch_norm/{role}')}": np.ascontiguousarray(
            array if role == "kernel" else array.ravel()
        )
        for role, array in arrays.items()
    }


def _notes(folded, others, by_role):
    if folded:
        yield (
            f"batch norm of {folded} units has a scale, which was multiplied into "
            "their kernels and moving means: exact for inference, but training goes "
            "on differently"
        )
    if CLASSIFIER not in by_role:
        yield "there is no classifier"
    if others:
        yield f"left out what is outside the model: {_some(others)}"


def _raise_all(problems):
    if problems:
        raise ValueError(
            f"does not fit I3D, in {len(problems)} tensors: {_some(problems, '; ')}"
        )


def _some(items, separator=", "):
    more = f"{separator}and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return separator.join(items[:_SHOWN]) + more
