"""Recipe flags: which recipe to train by, and changes to it."""

import dataclasses

from absl import flags

from ...models.architecture import ENDPOINTS
from ...training.recipe import BATCH_NORM_MODES, LOSSES, TEMPORAL, TrainingRecipe
from ...training.recipes import RECIPES
from . import clip_flags, flow_flags, reading_flags

_RECIPE = flags.DEFINE_enum(
    "recipe", None, list(RECIPES), "What to train, and how; the other flags change it."
)
_STREAM = flags.DEFINE_enum(
    "stream",
    None,
    ["rgb", "flow", "joint"],
    "Input of the model; by default that of the recipe or of --model. joint is for "
    "two_stream and fused.",
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Steps; changes of the learning rate move in proportion.", 1
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Clips per step, on all devices together.", 1
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "The first rate; later ones keep their ratio to it."
)
_DROPOUT_RATE = flags.DEFINE_float("dropout_rate", None, "Before the classifier.")
_BATCH_NORM = flags.DEFINE_enum(
    "batch_norm",
    None,
    BATCH_NORM_MODES,
    "Statistics of each device's batch, the moving averages, or all devices' batch.",
)
_BATCH_NORM_MOMENTUM = flags.DEFINE_float(
    "batch_norm_momentum",
    None,
    "Share of the moving averages that a step keeps. The release's 0.999 needs "
    "thousands of steps; 0.95 suits 500 steps from random weights.",
)
_FREEZE_UNTIL = flags.DEFINE_enum(
    "freeze_until", None, ENDPOINTS[:-2], "Train only the layers above this endpoint."
)
_LOSS = flags.DEFINE_enum(
    "loss",
    None,
    LOSSES,
    "softmax: clips have one label; sigmoid: any number of labels at once.",
)
_TEMPORAL = flags.DEFINE_enum(
    "temporal",
    None,
    TEMPORAL,
    "mean: one answer for a clip; dense, with --loss=sigmoid: one for each frame, from "
    "labels with times.",
)
_LABEL_SMOOTHING = flags.DEFINE_float(
    "label_smoothing",
    None,
    "Share of a softmax's target that is spread over all classes.",
)
_INIT = flags.DEFINE_string(
    "init",
    None,
    "Initial weights: released, a checkpoint, or none. A classifier of other classes "
    "is not loaded.",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

# Flags that replace the field of their name.
_FIELDS = (
    _BATCH_SIZE,
    _DROPOUT_RATE,
    _BATCH_NORM,
    _BATCH_NORM_MOMENTUM,
    _FREEZE_UNTIL,
    _INIT,
    _LOSS,
    _TEMPORAL,
    _LABEL_SMOOTHING,
)


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (_RECIPE, _STREAM, _STEPS, _LEARNING_RATE, *_FIELDS):
        flags.declare_key_flag(flag.name)


def recipe() -> TrainingRecipe:
    """The recipe, with the changes that the flags make.

    Raises:
        ValueError: no recipe is named, or a value is out of range.
    """
    if _RECIPE.value is None:
        raise ValueError(f"--recipe is missing; use one of {', '.join(RECIPES)}")
    chosen = RECIPES[_RECIPE.value]
    clip = flow_flags.apply(clip_flags.clip_recipe(_STREAM.value, chosen.clip))
    clip = reading_flags.apply(clip)
    changes = {flag.name: flag.value for flag in _FIELDS if flag.value is not None}
    chosen = dataclasses.replace(
        chosen, model=clip_flags.MODEL.value, clip=clip, **changes
    )
    if _STEPS.value is not None:
        chosen = chosen.with_steps(_STEPS.value)
    if _LEARNING_RATE.value is not None:
        chosen = chosen.with_learning_rate(_LEARNING_RATE.value)
    return chosen
