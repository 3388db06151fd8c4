"""The model that a checkpoint is of, and the names of its classes."""

import os
from fractions import Fraction

from . import labels, storage
from .checkpoint import CLASSIFIER, FIRST_KERNEL, list_checkpoint, load_checkpoint
from .inception_i3d import InceptionI3d
from .recipes import CHANNELS
from .tensor_bundle import find_prefix
from .trunk import unit_filters


class UnknownClassesError(ValueError):
    """Nobody has said what the classes of a checkpoint are."""


def load_model(path, **kwargs) -> InceptionI3d:
    """Builds the `InceptionI3d` that a checkpoint is of, with its weights.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it.
        **kwargs: more arguments of `InceptionI3d`; `num_classes`, `num_channels` and
            `width` are the checkpoint's.

    Returns:
        The model.

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: a file is truncated or corrupt, or is of another model.

    Example:
    >>> model = load_model("checkpoints/rgb_imagenet")
    """
    shapes = _shapes(path)
    model = InceptionI3d(
        shapes[CLASSIFIER][-1],
        num_channels=shapes[FIRST_KERNEL][-2],
        width=_width(shapes),
        **kwargs,
    )
    load_checkpoint(model, path)
    return model


def load_stream(path, stream: str) -> InceptionI3d:
    """Builds the model of a checkpoint, which must be of a stream.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        stream: "rgb" or "flow".

    Returns:
        The model.

    Raises:
        OSError: as `load_model`.
        ValueError: as `load_model`, or it is of the other stream.
    """
    model = load_model(path)
    if model.num_channels != CHANNELS[stream]:
        raise ValueError(
            f"{path}: takes clips of {model.num_channels} channels, and {stream} has "
            f"{CHANNELS[stream]}; it is of the other stream"
        )
    return model


def class_names_of(path) -> tuple[str, ...]:
    """Names of the classes that a checkpoint was trained on.

    Args:
        path: prefix of the checkpoint, or the folder that holds it; the file
            `label_map.txt` beside it says them. Without one, 400 and 600 classes are
            those of Kinetics.

    Returns:
        Names by index.

    Raises:
        OSError: a file is missing, or may not be read.
        ValueError: the checkpoint is corrupt or of another model, the label map is of
            another number of classes, or there is none and no map of Kinetics has as
            many.
    """
    num_classes = _shapes(path)[CLASSIFIER][-1]
    folder = os.path.dirname(os.fspath(find_prefix(path)))
    label_map = storage.join(folder, labels.LABEL_MAP)
    if storage.exists(label_map):
        names = labels.read_label_map(label_map)
        if len(names) != num_classes:
            raise ValueError(
                f"{label_map}: has {len(names)} classes, the checkpoint {num_classes}"
            )
        return names
    if num_classes not in (400, 600):
        raise UnknownClassesError(
            f"{label_map}: is missing, and there is no other way to know the names of "
            f"{num_classes} classes; write one name a line, in the order of training"
        )
    return labels.class_names(num_classes)


def _shapes(path):
    """Shapes of a checkpoint's weights, by name."""
    shapes = {e.sonnet_name: e.shape for e in list_checkpoint(path) if not e.is_slot}
    if not {CLASSIFIER, FIRST_KERNEL} <= set(shapes):
        raise ValueError(
            f"{find_prefix(path)}: is not a checkpoint of InceptionI3d with its "
            "classifier"
        )
    return shapes


def _width(shapes):
    """The simplest width that rounds to the filters of all units."""
    release = unit_filters(1.0)
    found = {name: shapes.get(f"{name}/conv_3d/w", (0,))[-1] for name in release}
    low, high = Fraction(0), Fraction(10**6)
    for name, full in release.items():
        filters = found[name]
        if filters > 1:  # Of less than half a filter there is one.
            low = max(low, Fraction(2 * filters - 1, 2 * full))
        high = min(high, Fraction(2 * filters + 1, 2 * full))
    middle = (low + high) / 2
    for denominator in range(1, 10_000):
        width = middle.limit_denominator(denominator)
        if low <= width <= high and unit_filters(float(width)) == found:
            return float(width)
    return float(middle)
