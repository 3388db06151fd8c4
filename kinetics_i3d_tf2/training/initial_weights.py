"""The weights that a recipe starts from."""

from collections.abc import Sequence

import keras
from absl import logging

from ..checkpoints import inception_v1, released, tf_slim
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.info import UnknownClassesError
from ..checkpoints.sonnet import load_checkpoint
from .recipe import TrainingRecipe


def load_initial_weights(
    model: keras.Model, recipe: TrainingRecipe, class_names: Sequence[str]
) -> None:
    """Loads the initial weights of a recipe (`recipe.init`).

    Args:
        model: of `build_model`.
        recipe: its recipe.
        class_names: names by index. The classifier is loaded too if the checkpoint has
            the same names, and stays random otherwise.

    Raises:
        OSError: the checkpoint does not exist, or cannot be downloaded.
        ValueError: it does not fit the model.
    """
    path = recipe.init
    if path == "none":
        return
    if path == "released":
        path = released.fetch(f"{recipe.clip.stream}_imagenet")
    elif tf_slim.is_inception_v1(path):
        inception_v1.load_inception_v1(model, path)
        logging.info("Initial weights: %s, of images", path)
        return
    checkpoint = Checkpoint(path)
    try:
        names = checkpoint.class_names
    except UnknownClassesError:
        names = None
    is_new = names != tuple(class_names)
    load_checkpoint(model, checkpoint, exclude=("Logits",) if is_new else ())
    logging.info(
        "Initial weights: %s, %s",
        path,
        "with a new classifier" if is_new else "classifier included",
    )
