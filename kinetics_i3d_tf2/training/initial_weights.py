"""The weights that a recipe starts from."""

import keras
from absl import logging

from ..checkpoints import inception_v1, tf_slim
from ..checkpoints.pretrained import open_weights
from .recipe import TrainingRecipe


def load_initial_weights(model: keras.Model, recipe: TrainingRecipe) -> None:
    """Loads the initial weights of a recipe (`recipe.init`).

    Args:
        model: of `build_model`. Its classifier is loaded too if the checkpoint has the
            same `class_names`, and stays random otherwise.
        recipe: its recipe.

    Raises:
        OSError: the checkpoint does not exist, or cannot be downloaded.
        ValueError: it does not fit the model.
    """
    path = recipe.init
    if path == "none":
        return
    if path == "released":
        path = f"{recipe.clip.stream}_imagenet"
    elif tf_slim.is_inception_v1(path):
        inception_v1.load_inception_v1(model, path)
        logging.info("Initial weights: %s, of images", path)
        return
    has_classifier = open_weights(path).load_into(model, same_names=True)
    logging.info(
        "Initial weights: %s, %s",
        path,
        "classifier included" if has_classifier else "with a new classifier",
    )


def initial_width(recipe: TrainingRecipe) -> float:
    """Width of the model that a recipe starts from; 1 without initial weights.

    Args:
        recipe: the recipe.

    Raises:
        OSError: the checkpoint does not exist.
        ValueError: it is of no model of this package.
    """
    if recipe.init in ("none", "released"):
        return 1.0
    if tf_slim.is_inception_v1(recipe.init):
        return inception_v1.width_of(recipe.init)
    return open_weights(recipe.init).width
