"""Sonnet's TensorFlow 1 checkpoints and the variables of a model, strict both ways."""

import os
from pathlib import Path

import numpy as np

from ..arguments import suggest_arguments
from ..utils import files
from ..utils.errors import DetailedError
from . import info
from .file_formats.tensor_bundle import BundleReader, write_bundle
from .info import SLOT, Entry

# By `save_checkpoint`'s argument.
_SCOPES = {"RGB": "RGB/inception_i3d", "Flow": "Flow/inception_i3d", "": ""}


@suggest_arguments
def load_checkpoint(model, path, *, exclude=()) -> None:
    """Loads a checkpoint of the release, or one of `save_checkpoint`, into a model.

    Strict: every variable of the model must be in the checkpoint with its shape, and
    the checkpoint may contain nothing else but optimizer slots; otherwise nothing is
    assigned.
    Batch norm may be stored as `[C]` or `[1, 1, 1, 1, C]`.

    Args:
        model: an `InceptionI3d`, a model of another architecture, or any built Keras
            model with Sonnet's names.
        path: prefix of the checkpoint (`.../model.ckpt`), the folder that holds it, or
            an open `Checkpoint`.
        exclude: scopes to leave as they are in the model, and to ignore in the file:
            `("Logits",)` for a head of other classes.

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: a file is truncated or corrupt, variables differ (all of
            them are in the error's `details`), or a scope of `exclude` is in neither.

    Examples:
        >>> model = InceptionI3d(num_classes=101)
        >>> load_checkpoint(model, "checkpoints/rgb_imagenet", exclude=("Logits",))
    """
    if isinstance(exclude, str):
        exclude = (exclude,)
    reader = path if isinstance(path, BundleReader) else BundleReader(path)
    entries = [e for e in _entries(reader) if not e.is_slot]
    variables = {sonnet_name(variable): variable for variable in model.weights}
    known = [*variables, *(entry.sonnet_name for entry in entries)]
    unused = [s for s in exclude if not any(_below(name, (s,)) for name in known)]
    if unused:
        raise ValueError(
            "exclude: neither the model nor the checkpoint has variables in "
            f"{', '.join(map(repr, unused))}; scopes are written as in the checkpoint, "
            "for example 'Logits'"
        )
    entries = [e for e in entries if not _below(e.sonnet_name, exclude)]
    variables = {n: v for n, v in variables.items() if not _below(n, exclude)}
    _check_equal(reader.title, entries, variables, getattr(model, "kind", None))
    values = {entry.sonnet_name: reader.read(entry.name) for entry in entries}
    for name, variable in variables.items():
        variable.assign(values[name].reshape(variable.shape))


@suggest_arguments
def save_checkpoint(
    model, path, *, scope: str | None = None, optimizer=None
) -> str | Path:
    """Writes a model's variables as the release's own `tf.train.Saver` restores them.

    The files are written aside and moved into place when they are whole. They are two:
    a crash in the microseconds between their moves, over an older checkpoint, leaves
    new data next to the old index; loading then fails on the checksums.

    Args:
        model: an `InceptionI3d`, a model of another architecture, or any built Keras
            model with Sonnet's names.
        path: prefix of the checkpoint; in an existing folder, or for a path that ends
            in a slash, the prefix is its `model.ckpt`. Missing folders are made.
        scope: scope of the names: "RGB" or "Flow" for `RGB/inception_i3d/...`, "" for
            none (as the Kinetics-600 checkpoint); by default the model's own
            `checkpoint_scope`, or "RGB" if it has none.
        optimizer: a built `Momentum`, whose accumulators are written as slots, as the
            Kinetics-600 checkpoint has them.

    Returns:
        The prefix, for `load_checkpoint`.

    Raises:
        ValueError: `scope` is none of the three.
        OSError: the files cannot be written.
    """
    if scope is None:
        scope = getattr(model, "checkpoint_scope", _SCOPES["RGB"])
    elif scope in _SCOPES:
        scope = _SCOPES[scope]
    else:
        raise ValueError(f'scope must be "RGB", "Flow" or "". Received: {scope!r}')
    prefix = path if files.is_address(path) else Path(path)
    if os.fspath(path).endswith("/") or files.is_dir(path):
        prefix = type(prefix)(files.join(path, "model.ckpt"))
    named = {sonnet_name(variable): variable for variable in model.weights}
    if optimizer is not None:
        named |= {sonnet_name(v) + SLOT: slot for v, slot in optimizer.slots()}
    values = {
        f"{scope}/{name}".lstrip("/"): np.asarray(variable.numpy(), np.float32)
        for name, variable in named.items()
    }
    write_bundle(prefix, values)
    return prefix


def load_momentum(optimizer, path) -> None:
    """Loads the accumulators that `save_checkpoint` wrote.

    Args:
        optimizer: a `Momentum`, built with the variables that are trained.
        path: prefix of the checkpoint, or the folder that holds it.

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: the accumulators in it are of other variables.
    """
    reader = BundleReader(path)
    found = {e.sonnet_name: e.name for e in _entries(reader) if e.is_slot}
    slots = {sonnet_name(v) + SLOT: slot for v, slot in optimizer.slots()}
    if found.keys() != slots.keys():
        raise ValueError(
            f"{reader.title}: has the accumulators of {len(found)} variables, and "
            f"{len(slots)} are trained; they differ in "
            f"{', '.join(sorted(found.keys() ^ slots.keys())[:3])}, ..."
        )
    for name, slot in slots.items():
        slot.assign(reader.read(found[name]).reshape(slot.shape))


def sonnet_name(variable) -> str:
    """Name of a Keras variable in a Sonnet checkpoint, without the model's scope.

    Args:
        variable: a variable of a model.

    Returns:
        Its path, with `w` for `kernel` and `b` for `bias`.
    """
    scope, _, name = variable.path.rpartition("/")
    return f"{scope}/{ {'kernel': 'w', 'bias': 'b'}.get(name, name) }"


def _entries(reader):
    return [Entry(*entry) for entry in reader.entries()]


def _below(name, scopes):
    return any(name == scope or name.startswith(scope + "/") for scope in scopes)


def _check_equal(title, entries, variables, kind):
    """Raises one error with every difference."""
    seen = set()
    problems = []
    for entry in entries:
        name, shape = entry.sonnet_name, entry.shape
        if name not in variables:
            problems.append(f"unexpected: {entry.name} {list(shape)}")
            continue
        if name in seen:
            problems.append(f"in two scopes: {name}")
        seen.add(name)
        wanted = tuple(variables[name].shape)
        if shape != wanted and shape != (1, 1, 1, 1, *wanted):
            problems.append(
                f"shape of {name}: {list(shape)} in the checkpoint, {list(wanted)} in "
                "the model"
            )
        if entry.dtype != "float32":
            problems.append(f"dtype of {name}: {entry.dtype}, not float32")
    problems += [f"missing: {name}" for name in variables if name not in seen]
    if problems:
        raise DetailedError(
            f"{title}: does not fit the model, and nothing was loaded"
            f"{_hint(entries, variables, kind)}. {len(problems)} differences:",
            problems,
        )


def _hint(entries, variables, kind):
    """What causes all differences, and what to do; "" if that is unknown."""
    built = [Entry(name, tuple(v.shape), "float32") for name, v in variables.items()]
    try:
        stored = info.contents_of(entries, "it")
        if kind not in (None, stored.architecture):
            return f": it is of {stored.architecture}, the model of {kind}"
        model = info.contents_of(built, "it")
    except ValueError:
        return ""
    if stored.stream != model.stream:
        return f": it is of the stream {stored.stream}, the model of {model.stream}"
    widths = info.width_of(stored), info.width_of(model)
    if widths[0] != widths[1]:
        return (
            f": it has the width {widths[0]:g}, the model {widths[1]:g}. Build the "
            f"model with width={widths[0]:g}, or use load_model"
        )
    if stored.num_classes != model.num_classes:
        return (
            f": it has {stored.num_classes or 'no'} classes, the model "
            f'{model.num_classes or "none"}. exclude=("Logits",) leaves them out'
        )
    return ""
