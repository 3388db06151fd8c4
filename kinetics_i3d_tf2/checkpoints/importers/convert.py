"""Converts weights from any naming scheme to the release's names and layout."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .architectures import name_architecture
from .checks import STREAMS, check_shapes, raise_all, some
from .families import FAMILIES, RENAMED
from .stored import Stored
from .units import CLASSIFIER, UNITS

# State of a training run in TensorFlow and Keras. In PyTorch it has a dict of its own.
_OF_TRAINING = re.compile(
    r"(^|/)(optimizer|optimizer_weights)/|(^|/)(global_step|save_counter)(/|$)"
    r"|/(Momentum|Adam|Adam_1)$"
)


class Weights(NamedTuple):
    """Weights of an I3D in the release's names and layout."""

    title: str  # implementation that wrote the file
    values: dict[str, np.ndarray]  # float32 by Sonnet name without scope, in name order
    notes: tuple[str, ...]  # changes and omissions, for the user

    @property
    def stream(self) -> str:
        """Either "rgb" or "flow"."""
        return STREAMS[self.values[f"{UNITS[0].scope}/conv_3d/w"].shape[-2]]

    @property
    def num_classes(self) -> int | None:
        """Number of classes; None without a classifier."""
        bias = self.values.get(f"{CLASSIFIER}/conv_3d/b")
        return None if bias is None else bias.shape[0]


def convert(tensors: Mapping[str, Stored]) -> Weights:
    """Finds an I3D among the tensors in a file, and converts it.

    A scale of batch norm, as in PyTorch, is multiplied into the kernel and the moving
    mean, which is exact for inference. Half precision becomes float32.

    Args:
        tensors: all tensors in the file, by name; nested names are joined by "/".

    Returns:
        The weights.

    Raises:
        ValueError: there is no I3D, or more than one; or tensors are missing,
            unexpected, or have the wrong shape or dtype (all are listed).
    """
    tensors = {name.replace(*RENAMED): stored for name, stored in tensors.items()}
    family, prefix = _find(tensors)
    found, others = _split(tensors, family, prefix)
    by_role = _by_role(found, family)
    check_shapes(by_role)
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
    """The family that the first kernel belongs to, and the prefix of its name."""
    found = [
        (family, name.removesuffix(first))
        for family in FAMILIES
        for first in (family.name(UNITS[0], "kernel"),)
        for name in tensors
        if name == first or name.endswith(("/" + first, "." + first))
    ]
    if not found:
        raise ValueError(f"contains no weights of I3D: {name_architecture(tensors)}")
    if len(found) > 1:
        prefixes = ", ".join(repr(prefix) for _, prefix in found)
        raise ValueError(
            f"contains {len(found)} models, under {prefixes}; save the one to import "
            "in a separate file"
        )
    return found[0]


def _split(tensors, family, prefix):
    """The model's tensors without the prefix, and the names of other tensors.

    In nested dicts, only the dict that contains the first kernel is the model's.
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
    """Tensors by scope and role. Missing and unexpected tensors are an error."""
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
    raise_all(problems)
    return by_role


def _transposed(stored, axes):
    if len(stored.shape) != len(axes):
        return stored  # `check_shapes` reports it.
    shape = tuple(stored.shape[axis] for axis in axes)
    return stored._replace(shape=shape, read=lambda: stored.read().transpose(axes))


def _read(stored):
    return np.asarray(stored.read()).astype(np.float32, copy=False)


def _fold_scale(arrays):
    """Folds the scale of batch norm; returns whether there was one other than 1."""
    gamma = arrays.pop("gamma", None)
    if gamma is None or np.all(gamma == 1):
        return False
    gamma = gamma.ravel()
    with np.errstate(all="ignore"):  # Infinite values stay infinite.
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
            f"batch norm has a scale in {folded} units, which was folded into their "
            "kernels and moving means: inference is exact, but further training differs"
        )
    if CLASSIFIER not in by_role:
        yield "there is no classifier"
    if others:
        yield f"left out tensors outside the model: {some(others)}"
