"""What a training run takes besides its recipe: data and options, checked together."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from ..arguments import suggest_arguments
from ..data import labels
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..models.architecture import MIN_FRAMES
from ..utils import run_dir
from ..video.reader import FRAME_RATE
from ..video.tvl1_parameters import EPSILON
from . import class_weights
from .recipe import TrainingRecipe

# Names that older runs have in settings.json.
_RENAMED = {
    "parts": "gradient_accumulation_steps",
    "round_steps": "checkpoint_every",
}
# Frames of a clip per time step of the last layers: MIN_FRAMES give two.
_TIME_STRIDE = MIN_FRAMES - 1


@suggest_arguments
class TrainingData(NamedTuple):
    """What a model is trained on.

    Attributes:
        training: clips or records of the training split.
        validation: those of the validation split; may be empty.
        class_names: names by label index.
    """

    training: Sequence[Clip | Record]
    validation: Sequence[Clip | Record]
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        """Shows numbers, without the clips."""
        return (
            f"TrainingData({len(self.class_names)} classes; {len(self.training)} clips "
            f"to train on, {len(self.validation)} to validate)"
        )


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How a recipe is run on a dataset and a machine.

    Attributes:
        checkpoint_every: steps between two checkpoints, each with a validation. None is
            one epoch, but at least a hundredth of the steps and at most 1000.
        seed: seed of the initial weights, clips, crops and dropout.
        width: factor on the number of filters; None is that of the recipe's initial
            weights, or 1.
        dtype: Keras dtype policy: "float32", "mixed_bfloat16" or "mixed_float16".
        gradient_accumulation_steps: microbatches per batch of a replica, as `Trainer`.
        data_service: address of a tf.data service dispatcher, as `for_training`.
        class_weights: None weighs all classes alike; "balanced" weighs the rare ones
            more (`class_weights.balanced`); or a number for each class. With a softmax
            it is a factor of the loss of the clips of that class, with a sigmoid of the
            terms in which it is present.
    """

    checkpoint_every: int | None = None
    seed: int = 0
    width: float | None = None
    dtype: str = "float32"
    gradient_accumulation_steps: int = 1
    data_service: str | None = None
    class_weights: str | tuple[float, ...] | None = None

    def steps_between_checkpoints(self, recipe: TrainingRecipe, num_clips: int) -> int:
        """`checkpoint_every`, or its default for so many training clips."""
        if self.checkpoint_every is not None:
            return self.checkpoint_every
        epoch = math.ceil(num_clips / recipe.batch_size)
        return min(1000, max(epoch, math.ceil(recipe.steps / 100)))


def settings(
    recipe: TrainingRecipe, data: TrainingData, options: TrainingOptions
) -> dict:
    """Everything that determines the weights of a run, as JSON types.

    A run resumes only with the same settings. The flow engine is not among them: all
    engines compute the same up to rounding. Nor are limits on single videos: they
    decide which videos are skipped, not what is seen of the others.
    """
    recipe_fields = dataclasses.asdict(recipe)
    clip = recipe_fields["clip"]
    del clip["flow_engine"]
    del clip["targets"]  # They follow from the loss.
    clip["image_fps"] = clip.pop("reading")["image_fps"]
    return {
        **recipe_fields,
        "rates": [list(pair) for pair in recipe_fields["rates"]],
        "classes": list(data.class_names),
        "training": f"{len(data.training)} clips {run_dir.digest([data.training])}",
        "validation": (
            f"{len(data.validation)} clips {run_dir.digest([data.validation])}"
        ),
        "seed": options.seed,
        "width": options.width,
        "dtype": options.dtype,
        "gradient_accumulation_steps": options.gradient_accumulation_steps,
        "class_weights": class_weights.as_json(options.class_weights),
        "checkpoint_every": options.steps_between_checkpoints(
            recipe, len(data.training)
        ),
    }


def upgrade(older: dict) -> dict:
    """Converts the settings of a run of any version to those of today."""
    today = {_RENAMED.get(name, name): value for name, value in older.items()}
    # Values before these could be chosen.
    clip = {"flow_epsilon": EPSILON, "image_fps": FRAME_RATE, **today["clip"]}
    defaults = {
        "loss": "softmax",
        "temporal": "mean",
        "label_smoothing": 0.0,
        "class_weights": None,
    }
    return defaults | today | {"clip": clip}


def check(
    recipe: TrainingRecipe, data: TrainingData, options: TrainingOptions, replicas: int
) -> None:
    """Validates what does not depend on the data's content, before any work.

    Args:
        recipe: the recipe.
        data: the clips.
        options: the options.
        replicas: number of devices of all machines.

    Raises:
        ValueError: sizes do not fit, the dtype does not work with such clips or
            devices, or the recipe needs a validation split.
    """
    for name in data.class_names:  # Checkpoints have a label map.
        labels.check_label(name, "class_names")
    class_weights.check(options.class_weights, len(data.class_names))
    divisor = replicas * options.gradient_accumulation_steps
    if recipe.batch_size % divisor:
        raise ValueError(
            f"batch_size must be a multiple of {divisor} (replicas times gradient "
            f"accumulation steps). Received: {recipe.batch_size}"
        )
    if options.dtype == "mixed_float16" and replicas > 1:
        # Keras checks the gradients of one replica only.
        raise ValueError(
            "mixed_float16 needs a single device (one_device): Keras's loss scale does "
            "not see the overflows of others. Use mixed_bfloat16, which needs no scale"
        )
    on_cpu = not tf.config.list_physical_devices("GPU")
    has_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
    if options.dtype == "mixed_bfloat16" and on_cpu and has_onednn:
        _check_bfloat16(recipe)
    if recipe.plateau and not data.validation:
        raise ValueError(
            "this recipe lowers its learning rate when the validation loss stops "
            f"falling (plateau={recipe.plateau}), and there is no validation split; "
            "name one"
        )


def _check_bfloat16(recipe):
    """Rejects 3x3x3 kernels on two frames, whose gradient oneDNN computes as NaN."""
    if recipe.model == "c3d":
        raise ValueError(
            "with mixed_bfloat16 on a CPU, gradients of c3d are not finite (oneDNN, "
            "kernels that see two frames); use float32, or TF_ENABLE_ONEDNN_OPTS=0"
        )
    shortest = 2 * _TIME_STRIDE
    if recipe.model == "i3d" and recipe.clip.num_frames <= shortest:
        raise ValueError(
            f"with mixed_bfloat16 on a CPU, clips need more than {shortest} frames: "
            "with fewer, the last layers see two, where oneDNN's gradient of 3x3x3 "
            f"kernels is not finite. Received: {recipe.clip.num_frames}; use float32, "
            "or TF_ENABLE_ONEDNN_OPTS=0"
        )
