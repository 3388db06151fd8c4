"""Weights of a checkpoint for a model of the same or other classes, or of none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from absl import logging

from ..models.architecture import ENDPOINTS
from . import info
from .sonnet import load_checkpoint, sonnet_name

if TYPE_CHECKING:
    import keras

    from .checkpoint import Checkpoint

_HEAD = "Logits"


def model_arguments(
    checkpoint: "Checkpoint", architecture: str, chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of the class of a checkpoint's model.

    Args:
        checkpoint: the checkpoint.
        architecture: of the class; the checkpoint must be of it.
        chosen: arguments that are chosen already; None is not.

    Returns:
        The chosen arguments, and the checkpoint's own for others.

    Raises:
        OSError: the label map cannot be read.
        UnknownClassesError: the model has a classifier, the checkpoint has none, and
            `num_classes` is not chosen.
        ValueError: the checkpoint is of another model, or its label map is wrong.
    """
    if checkpoint.architecture != architecture:
        raise ValueError(
            f"{checkpoint.title}: is a checkpoint of {checkpoint.architecture}, not "
            f"of {architecture}; load it with load_model"
        )
    arguments = {"width": checkpoint.width, **info.input_options(checkpoint.contents)}
    if architecture == "i3d":
        arguments["temporal"] = checkpoint.temporal
        arguments["activation"] = checkpoint.activation
    arguments |= {name: value for name, value in chosen.items() if value is not None}
    names = arguments.get("class_names")
    has_head = arguments.get("final_endpoint", _HEAD) in ENDPOINTS[-2:]
    if "num_classes" not in arguments and names is not None:
        arguments["num_classes"] = len(names)
    elif "num_classes" not in arguments and has_head:
        arguments["num_classes"] = checkpoint.num_classes
    if (
        names is None
        and has_head
        and arguments["num_classes"] == checkpoint.contents.num_classes
    ):
        arguments["class_names"] = known_names(checkpoint)
    return arguments


def load_into(
    model: "keras.Model", checkpoint: "Checkpoint", *, same_names: bool = False
) -> bool:
    """Loads a checkpoint into a model that may have other classes, or no classifier.

    Args:
        model: a model of its architecture. If it has other classes, its classifier
            stays as it is, and a warning reports it.
        checkpoint: the checkpoint.
        same_names: whether the classes of a checkpoint that does not know their names
            are others; else they are the model's if there are as many.

    Returns:
        Whether the classifier was loaded.

    Raises:
        OSError: the data file is missing, or may not be read.
        ValueError: it is truncated or corrupt, or does not fit the model.
    """
    stored = {entry.sonnet_name.partition("/")[0] for entry in checkpoint.variables}
    built = {sonnet_name(variable).partition("/")[0] for variable in model.weights}
    end = getattr(model, "final_endpoint", ENDPOINTS[-1])
    exclude = stored.intersection(ENDPOINTS[ENDPOINTS.index(end) + 1 :])
    is_new = _HEAD in built and not _has_same_classes(model, checkpoint, same_names)
    if is_new:
        exclude.add(_HEAD)
    load_checkpoint(model, checkpoint, exclude=sorted(exclude))
    if is_new:
        count = checkpoint.contents.num_classes
        logging.warning(
            "%s: the classifier of %d classes is new, its weights are random; the "
            "checkpoint has %s",
            checkpoint.title,
            model.num_classes,
            "none" if count is None else f"one of {count} classes",
        )
    return _HEAD in built and not is_new


def known_names(checkpoint: "Checkpoint") -> tuple[str, ...] | None:
    """Class names of a checkpoint, or None if they are unknown.

    Args:
        checkpoint: the checkpoint.

    Raises:
        OSError: the label map cannot be read.
        ValueError: the label map has another number of classes.
    """
    try:
        return checkpoint.class_names
    except info.UnknownClassesError:
        return None


def _has_same_classes(model, checkpoint, same_names):
    if model.num_classes != checkpoint.contents.num_classes:
        return False
    names = known_names(checkpoint)
    if names is None or model.class_names is None:
        return not same_names
    return names == model.class_names
