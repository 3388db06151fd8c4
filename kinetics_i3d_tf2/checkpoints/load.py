"""A model out of its checkpoint, in one call."""

import os

import keras

from .checkpoint import Checkpoint


def load_model(path: str | os.PathLike, **kwargs) -> keras.Model:
    """Builds the model that a checkpoint is of, with its weights.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it.
        **kwargs: more arguments of the model's class; `num_classes`, `width` and those
            of its input are the checkpoint's.

    Returns:
        `InceptionI3d`, or another class of `models.registry.ARCHITECTURES`.

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: a file is truncated or corrupt, or is of another model.

    Examples:
        >>> model = load_model("checkpoints/rgb_imagenet")
    """
    return Checkpoint(path).build_model(**kwargs)
