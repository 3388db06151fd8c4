"""Trains a model by a recipe, from where the run's newest checkpoint left off."""

import dataclasses
import json
import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf
from absl import logging

from ..data import pipeline
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..models import losses
from ..models.architecture import MIN_FRAMES
from ..utils import run_dir
from . import distribution
from .build import build_model, initialize
from .callbacks import Logs, Progress, Rounds, new_state
from .momentum import Momentum
from .recipe import TrainingRecipe
from .run_checkpoints import Snapshots
from .trainer import Trainer
from .validation import make_validation

# Settings of a run that its weights follow from, and what they were called before.
_COMPARED = (
    "checkpoint_every", "seed", "width", "dtype", "gradient_accumulation_steps",
)  # fmt: skip
OLD_SETTINGS = {
    "parts": "gradient_accumulation_steps",
    "round_steps": "checkpoint_every",
}

# Frames of a clip to one of the last layers: of 9 there are two (MIN_FRAMES).
_TIME_STRIDE = MIN_FRAMES - 1


class Data(NamedTuple):
    """What a model is trained on."""

    training: Sequence[Clip | Record]
    validation: Sequence[Clip | Record]  # may be empty
    class_names: tuple[str, ...]


class Run(NamedTuple):
    """A training run, beside its recipe and data."""

    folder: str
    checkpoint_every: int  # steps between two checkpoints
    seed: int = 0
    width: float = 1.0  # of the model
    dtype: str = "float32"  # dtype policy
    gradient_accumulation_steps: int = 1  # of Trainer
    data_service: str | None = None  # of for_training


def train(
    recipe: TrainingRecipe,
    data: Data,
    run: Run,
    *,
    strategy: tf.distribute.Strategy,
    stop: threading.Event,
) -> dict:
    """Trains until the last step of the recipe.

    Begun again in the same folder, it goes on at the step of the newest checkpoint, and
    the weights are then what they would have been without the interruption.

    Args:
        recipe: the recipe.
        data: the clips.
        run: the folder and the settings.
        strategy: of `strategies.create`.
        stop: when set, training saves its state after the step that runs, and ends.

    Returns:
        The run's state, as `rounds.new_state`.

    Raises:
        ValueError: sizes that do not fit, or a loss that is not finite.
        OSError: a file cannot be read or written.
        KeyboardInterrupt: `stop` was set.
        tf.errors.OpError: too many clips cannot be read, or a worker was lost.
    """
    number, workers = distribution.worker(strategy)
    check(recipe, data, run, strategy.num_replicas_in_sync)
    snapshots = Snapshots(run.folder, data.class_names)
    begun = snapshots.newest() is not None
    with strategy.scope():
        keras.utils.set_random_seed(run.seed)
        model = build_model(
            recipe, len(data.class_names), width=run.width, dtype=run.dtype
        )
        if not begun:
            initialize(model, recipe, data.class_names)
        trainer = make_trainer(model, recipe, run)
        state = new_state()
        if begun:
            momentum = getattr(trainer.optimizer, "inner_optimizer", trainer.optimizer)
            state |= snapshots.restore(model, momentum)
            logging.info("Going on after step %d", state["step"])
            if state["loss_scale"]:
                trainer.optimizer.step_counter.assign(state["loss_scale"][0])
                trainer.optimizer.dynamic_scale.assign(state["loss_scale"][1])
    if workers > 1:  # Fingerprints of large datasets take a second.
        plan = [state["step"], settings_of(recipe, data, run)]
        distribution.check_equal(strategy, json.dumps(plan))
    trainer.seed(run.seed, state["step"])
    validate = None
    if data.validation:
        replicas = strategy.num_replicas_in_sync
        validate = make_validation(
            model,
            data.validation,
            recipe.clip,
            batch_size=recipe.batch_size // replicas // run.gradient_accumulation_steps,
            strategy=strategy,
            stop=stop,
        )
    is_first = number == 0
    rounds = Rounds(
        recipe,
        run.checkpoint_every,
        state,
        snapshots=snapshots,
        logs=Logs(run.folder, state["history"]) if is_first else None,
        validate=validate,
        stop=stop,
    )
    rounds.finish()
    left = recipe.steps - state["step"]
    if left <= 0:
        return state
    progress = Progress(state["step"], recipe.steps, recipe.batch_size, shown=is_first)
    batches = distributed_batches(recipe, data, run, state["step"], strategy)
    try:
        trainer.fit(
            batches,
            steps_per_epoch=left,
            shuffle=False,
            verbose=0,
            callbacks=[progress, rounds],
        )
    finally:
        progress.close()
    return state


def settings_of(recipe: TrainingRecipe, data: Data, run: Run) -> dict:
    """What the weights of a run follow from, as JSON holds it."""
    recipe = dataclasses.asdict(recipe)
    return {
        **recipe,
        "rates": [list(pair) for pair in recipe["rates"]],
        "classes": list(data.class_names),
        "training": f"{len(data.training)} clips {run_dir.digest([data.training])}",
        "validation": (
            f"{len(data.validation)} clips {run_dir.digest([data.validation])}"
        ),
        **{name: value for name, value in run._asdict().items() if name in _COMPARED},
    }


def make_trainer(model: keras.Model, recipe: TrainingRecipe, run: Run) -> Trainer:
    """Compiles a model with the recipe's optimizer, ready for `fit`."""
    optimizer = Momentum(recipe.rate(0), recipe.momentum)
    if run.dtype == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_weights)
    trainer = Trainer(
        model, gradient_accumulation_steps=run.gradient_accumulation_steps
    )
    trainer.compile(
        optimizer,
        losses.Crossentropy(),
        metrics=[losses.Top1()],
        auto_scale_loss=False,
        jit_compile=False,  # XLA would compute all microbatches at once.
    )
    return trainer


def distributed_batches(
    recipe: TrainingRecipe,
    data: Data,
    run: Run,
    step: int,
    strategy: tf.distribute.Strategy,
) -> tf.distribute.DistributedDataset:
    """The batches from a step on, for `Trainer.fit` under a strategy."""
    num_classes = len(data.class_names)

    def of_worker(context):
        workers = context.num_input_pipelines
        dataset = pipeline.for_training(
            data.training,
            recipe.clip,
            batch_size=recipe.batch_size,
            seed=run.seed,
            start_step=step,
            shard=(context.input_pipeline_id, workers),
            data_service=run.data_service,
        ).map(lambda clip, label: (clip, pipeline.check_range(label, num_classes)))
        if strategy.num_replicas_in_sync == workers:
            return dataset
        # One element a replica.
        size = recipe.batch_size // strategy.num_replicas_in_sync
        return dataset.rebatch(size).prefetch(2)

    return strategy.distribute_datasets_from_function(of_worker)


def check(recipe: TrainingRecipe, data: Data, run: Run, replicas: int) -> None:
    """Finds what does not go together, before anything is written.

    Args:
        recipe: the recipe.
        data: the clips.
        run: the settings.
        replicas: devices of all machines.

    Raises:
        ValueError: sizes that do not fit, or an arithmetic that is not for such clips
            or devices.
    """
    accumulation = run.gradient_accumulation_steps
    if recipe.batch_size % (replicas * accumulation):
        raise ValueError(
            f"batch_size must be a multiple of {replicas * accumulation} (replicas "
            f"times gradient accumulation steps). Received: {recipe.batch_size}"
        )
    if run.dtype == "mixed_float16" and replicas > 1:
        # Keras asks one replica whether the gradients of all are finite.
        raise ValueError(
            "mixed_float16 is for one device (one_device): Keras's loss scale does not "
            "see the overflows of others. mixed_bfloat16 needs no scale"
        )
    on_cpu = not tf.config.list_physical_devices("GPU")
    has_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
    if run.dtype == "mixed_bfloat16" and on_cpu and has_onednn:
        _check_bfloat16(recipe)
    if recipe.plateau and not data.validation:
        raise ValueError(
            "this recipe lowers its rate when the validation loss stops falling "
            f"(plateau={recipe.plateau}), and there is no split to validate on; name "
            "one"
        )


def _check_bfloat16(recipe):
    """Refuses what oneDNN has no finite gradient for: 3x3x3 kernels on two frames."""
    if recipe.model == "c3d":
        raise ValueError(
            "with mixed_bfloat16 on a processor, the gradients of c3d are not finite "
            "(oneDNN's, of kernels that see two frames); use float32, or "
            "TF_ENABLE_ONEDNN_OPTS=0"
        )
    if recipe.model == "i3d" and recipe.clip.num_frames <= 2 * _TIME_STRIDE:
        raise ValueError(
            f"with mixed_bfloat16 on a processor, clips need more than "
            f"{2 * _TIME_STRIDE} frames: of less, the last layers see two, where "
            "oneDNN's gradient of 3x3x3 kernels is not finite. Received: "
            f"{recipe.clip.num_frames}; use float32, or TF_ENABLE_ONEDNN_OPTS=0"
        )
