"""The model that a recipe trains: built, partly frozen, with its first weights."""

from collections.abc import Sequence

import keras
from absl import logging

from ..checkpoints import inception_v1, load, released, sonnet
from ..models.architecture import TRUNK
from ..models.inception_v1 import InceptionV1
from .recipe import TrainingRecipe


def build_model(
    recipe: TrainingRecipe,
    num_classes: int,
    *,
    width: float = 1.0,
    dtype: str = "float32",
) -> keras.Model:
    """Builds the model of a recipe, with what is frozen in it and its weight decay.

    Args:
        recipe: the recipe.
        num_classes: number of classes.
        width: factor on the filters.
        dtype: dtype policy.

    Returns:
        The model. One that is recurrent gives the logits of all time steps.

    Raises:
        ValueError: its input cannot be as the recipe has it, or it has no such endpoint
            as `recipe.freeze_until`.
    """
    model = load.build_model(
        recipe.model,
        num_classes,
        recipe.clip,
        in_training=True,
        dropout_rate=recipe.dropout_rate,
        width=width,
        dtype=dtype,
    )
    if recipe.freeze_until is not None:
        _freeze(model, recipe.freeze_until)
    for layer in model._flatten_layers():
        if hasattr(layer, "momentum"):  # Of all kinds of batch norm.
            layer.momentum = recipe.batch_norm_momentum
            layer.synchronized = recipe.batch_norm == "synchronized"
            if recipe.batch_norm == "frozen":
                layer.trainable = False
    if recipe.weight_decay:
        for variable in model.trainable_weights:
            if variable.name.endswith("kernel"):
                # tf.nn.l2_loss is half the sum of squares.
                variable.regularizer = keras.regularizers.L2(recipe.weight_decay / 2)
    return model


def initialize(
    model: keras.Model, recipe: TrainingRecipe, class_names: Sequence[str]
) -> None:
    """Gives a model the weights that its recipe begins with.

    Args:
        model: of `build_model`.
        recipe: its recipe.
        class_names: names by index. The checkpoint's classifier is taken when it is of
            the same.

    Raises:
        OSError: the checkpoint is not there, or cannot be downloaded.
        ValueError: it does not fit the model.
    """
    path = recipe.init
    if path == "none":
        return
    if path == "released":
        path = released.fetch(f"{recipe.clip.stream}_imagenet")
    elif inception_v1.is_inception_v1(path):
        inception_v1.load_inception_v1(model, path)
        logging.info("ImageNet's weights of %s", path)
        return
    try:
        names = load.class_names_of(path)
    except load.UnknownClassesError:
        names = None
    is_new = names != tuple(class_names)
    sonnet.load_checkpoint(model, path, exclude=("Logits",) if is_new else ())
    logging.info(
        "Weights of %s, %s", path, "with a new classifier" if is_new else "all of them"
    )


def _freeze(model, endpoint):
    """Freezes everything up to an endpoint; of two trunks, in both."""
    names = [row.name for row in TRUNK]
    trunks = [x for x in model._flatten_layers() if isinstance(x, InceptionV1)]
    if trunks:
        end = names.index(endpoint) + 1
        frozen = [layer for trunk in trunks for layer in trunk.steps[:end]]
    else:
        of_model = [layer.name for layer in model.layers]
        if endpoint not in of_model:
            raise ValueError(
                f"{model.name} has no endpoint {endpoint} to freeze, only: "
                f"{', '.join(of_model)}"
            )
        frozen = model.layers[: of_model.index(endpoint) + 1]
    for layer in frozen:
        layer.trainable = False
