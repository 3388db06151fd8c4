"""Builds each model of the programs once.

Building, folding and compiling a model takes a program longer than all else on the
small inputs of the tests, and hundreds of tests run programs on the same few
checkpoints. What these functions return depends on nothing but the content of what they
take, so it is kept by that.
"""

import contextlib
import functools
import hashlib
import math

import keras
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import Checkpoint, InceptionI3d
from kinetics_i3d_tf2.checkpoints.info import UnknownClassesError
from kinetics_i3d_tf2.features import extractor
from kinetics_i3d_tf2.inference import graph, runner

_LARGEST = 3_000_000  # Weights; larger models are not kept.
_BUILDERS = (
    (Checkpoint, "build_model"),
    (InceptionI3d, "endpoint_model"),
    (graph, "fold_batch_norm"),
    (graph, "freeze"),
    (runner, "StreamGraph"),
    (extractor, "_freeze"),
)
_kept = {}


@functools.cache
def narrow_i3d(num_classes: int, channels: int = 3, seed: int = 0) -> InceptionI3d:
    """A narrow model with the recipe's weights; leave it as it is."""
    model = InceptionI3d(num_classes, num_channels=channels, width=1 / 16)
    return recipe.assign(model, seed)


@contextlib.contextmanager
def built_once():
    """Keeps what is built within, and takes what was built before."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in _BUILDERS:
            build = getattr(owner, name)
            if not hasattr(build, "is_kept"):
                patch.setattr(owner, name, _kept_by_content(build))
        yield


def _kept_by_content(build):
    @functools.wraps(build)
    def built(*args, **kwargs):
        try:
            content = _content((args, kwargs))
        except (OSError, ValueError):  # The error of a damaged checkpoint is `build`'s.
            return build(*args, **kwargs)
        key = build.__qualname__, content, keras.config.floatx()
        made, content, _ = _kept.get(key, (None,) * 3)
        if made is None or _content(made) != content:  # A test has changed it.
            made = build(*args, **kwargs)
            if not any(map(_is_large, (made, *args))):
                # The arguments live on, so that their identities stay theirs.
                _kept[key] = made, _content(made), args
        return made

    built.is_kept = True
    return built


def _content(value):
    """What tells one argument from another, hashable."""
    if isinstance(value, keras.Model):
        return id(value), _digest(value.weights)
    if isinstance(value, Checkpoint):
        if sum(math.prod(entry.shape) for entry in value.variables) > _LARGEST:
            raise ValueError("too large to be kept")
        weights = _digest(value.read(entry.name) for entry in value.variables)
        names = None
        with contextlib.suppress(UnknownClassesError):
            names = value.class_names
        return value.variables, repr(value.config), names, weights
    if isinstance(value, dict):
        return tuple((name, _content(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(map(_content, value))
    return value if isinstance(value, str | int | float | None) else id(value)


def _digest(arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.asarray(array).tobytes())
    return digest.digest()


def _is_large(value):
    return isinstance(value, keras.Model) and value.count_params() > _LARGEST
