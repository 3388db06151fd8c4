"""A model out of its weights, in one call."""

import os

import keras

from ..arguments import suggest_arguments
from .keras_file import is_keras_file, load_keras
from .pretrained import open_weights


@suggest_arguments
def load_model(path: str | os.PathLike, **kwargs) -> keras.Model:
    """Builds the model that weights are of, and loads them.

    Args:
        path: name of a released checkpoint ("rgb_imagenet", downloaded on first use);
            or the path of a checkpoint (`.../model.ckpt` or its folder), of a `.keras`
            file, or of any other file that `import_weights` reads.
        **kwargs: arguments of the model's class; by default `num_classes`,
            `class_names`, `width` and those of its input are those of the weights.
            With other classes, the classifier is new; `final_endpoint="Mixed_5c"`
            leaves it out.

    Returns:
        `InceptionI3d`, or another class of `models.registry.ARCHITECTURES`.

    Raises:
        TypeError: the class has no such argument.
        OSError: a file is missing, or may not be read.
        ValueError: a file is truncated or corrupt, or is of another model.

    Examples:
        >>> model = load_model("checkpoints/rgb_imagenet")
        >>> model.class_names[0]
        'abseiling'
        >>> trunk = load_model("rgb_imagenet", final_endpoint="Mixed_5c")
    """
    if not kwargs and is_keras_file(path):
        return load_keras(path)
    return open_weights(path).build_model(**kwargs)
