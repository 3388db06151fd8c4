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

from . import checkpoint, models, pipeline, release, runs, strategies
from .architecture import MIN_FRAMES
from .inception_i3d import InceptionI3d
from .optimizer import Momentum
from .recipes import CHANNELS, TrainingRecipe
from .rounds import Logs, Progress, Rounds, new_state
from .snapshots import Snapshots
from .tables import Clip
from .tfrecord import Record
from .trainer import Trainer
from .validation import make_validation

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
    round_steps: int  # steps between two checkpoints
    seed: int = 0
    width: float = 1.0  # of InceptionI3d
    dtype: str = "float32"  # dtype policy
    parts: int = 1  # of Trainer
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
    number, workers = strategies.worker(strategy)
    _check(recipe, data, run, strategy.num_replicas_in_sync)
    snapshots = Snapshots(run.folder, data.class_names)
    begun = snapshots.newest() is not None
    with strategy.scope():
        keras.utils.set_random_seed(run.seed)
        model = build_model(recipe, data.class_names, run)
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
        strategies.check_equal(strategy, json.dumps(plan))
    trainer.seed(run.seed, state["step"])
    validate = None
    if data.validation:
        validate = make_validation(
            model,
            data.validation,
            recipe.clip,
            batch_size=recipe.batch_size // strategy.num_replicas_in_sync // run.parts,
            strategy=strategy,
            stop=stop,
        )
    is_first = number == 0
    rounds = Rounds(
        recipe,
        run.round_steps,
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
        "training": f"{len(data.training)} clips {runs.digest([data.training])}",
        "validation": f"{len(data.validation)} clips {runs.digest([data.validation])}",
        **{name: getattr(run, name) for name in ("seed", "width", "dtype", "parts")},
        "round_steps": run.round_steps,
    }


def build_model(
    recipe: TrainingRecipe, class_names: Sequence[str], run: Run
) -> InceptionI3d:
    """Builds the model of a recipe, with what is frozen in it and its weight decay."""
    model = InceptionI3d(
        len(class_names),
        num_channels=CHANNELS[recipe.clip.stream],
        dropout_rate=recipe.dropout_rate,
        width=run.width,
        dtype=run.dtype,
    )
    if recipe.freeze_until is not None:
        for layer in model.layers:
            layer.trainable = False
            if layer.name == recipe.freeze_until:
                break
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.batch_norm_momentum
            layer.synchronized = recipe.batch_norm == "synchronized"
            if recipe.batch_norm == "frozen":
                layer.trainable = False
    if recipe.weight_decay:
        for variable in model.trainable_weights:
            if variable.name == "kernel":
                # tf.nn.l2_loss is half the sum of squares.
                variable.regularizer = keras.regularizers.L2(recipe.weight_decay / 2)
    return model


def initialize(
    model: InceptionI3d, recipe: TrainingRecipe, class_names: Sequence[str]
) -> None:
    """Gives a model the weights that its recipe begins with.

    Raises:
        OSError: the checkpoint is not there, or cannot be downloaded.
        ValueError: it does not fit the model.
    """
    if recipe.init == "none":
        return
    path = recipe.init
    if path == "released":
        path = release.fetch(f"{recipe.clip.stream}_imagenet")
    try:
        names = models.class_names_of(path)
    except models.UnknownClassesError:
        names = None
    is_new = names != tuple(class_names)
    checkpoint.load_checkpoint(model, path, exclude=("Logits",) if is_new else ())
    logging.info(
        "Weights of %s, %s", path, "with a new classifier" if is_new else "all of them"
    )


def make_trainer(model: InceptionI3d, recipe: TrainingRecipe, run: Run) -> Trainer:
    """Compiles a model with the recipe's optimizer, ready for `fit`."""
    optimizer = Momentum(recipe.rate(0), recipe.momentum)
    if run.dtype == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_weights)
    trainer = Trainer(model, parts=run.parts)
    trainer.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("top1")],
        auto_scale_loss=False,
        jit_compile=False,  # XLA would compute all parts at once.
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


def _check(recipe, data, run, replicas):
    if recipe.batch_size % (replicas * run.parts):
        raise ValueError(
            f"batch_size must be a multiple of the {replicas} replicas times the "
            f"{run.parts} parts. Received: {recipe.batch_size}"
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
        if recipe.clip.num_frames <= 2 * _TIME_STRIDE:
            raise ValueError(
                f"with mixed_bfloat16 on a processor, clips need more than "
                f"{2 * _TIME_STRIDE} frames: of less, the last layers see two, where "
                "oneDNN's gradient of 3x3x3 kernels is not finite. Received: "
                f"{recipe.clip.num_frames}; use float32, or TF_ENABLE_ONEDNN_OPTS=0"
            )
    if recipe.plateau and not data.validation:
        raise ValueError(
            "this recipe lowers its rate when the validation loss stops falling "
            f"(plateau={recipe.plateau}), and there is no split to validate on; name "
            "one"
        )
