"""Trains a model by a recipe, resuming from the newest checkpoint of its folder."""

import dataclasses
import json
import os
import threading
from typing import NamedTuple

import keras
import tensorflow as tf
from absl import logging

from .. import streams
from ..arguments import suggest_arguments
from ..checkpoints.checkpoint import Checkpoint
from ..data.clip_streams import check_flow
from ..utils import files, run_dir
from ..utils.files import is_address
from ..visualization import plots
from . import class_weights, distribution
from .build import build_model, make_trainer
from .callbacks import Checkpoints, LearningRate
from .data_labels import report_labels
from .data_list import check_data, keep_data
from .errors import explained
from .extension import extend_settings
from .initial_weights import initial_width, load_initial_weights
from .logs import ProgressBar, RunLogs
from .options import TrainingData, TrainingOptions, check, settings, upgrade
from .recipe import TrainingRecipe
from .run_checkpoints import RunCheckpoints
from .state import RunState
from .validation import make_validation


class _Run(NamedTuple):
    """What `train` received."""

    recipe: TrainingRecipe
    data: TrainingData
    folder: str
    options: TrainingOptions
    strategy: tf.distribute.Strategy
    stop: threading.Event


@suggest_arguments
def train(
    recipe: TrainingRecipe,
    data: TrainingData,
    out: str | os.PathLike,
    *,
    options: TrainingOptions = TrainingOptions(),  # noqa: B008 It is immutable.
    strategy: tf.distribute.Strategy | None = None,
    stop: threading.Event | None = None,
) -> RunState:
    """Trains a model until the last step of a recipe.

    `out` receives `checkpoints/`, the links `last` and `best` to two of them (released
    format, with `label_map.txt`), `log.csv`, `tensorboard/`, `settings.json`,
    `clips.csv` and, at the end, `curves.png`. Called again with the same arguments, it
    resumes at the step of the newest checkpoint; on a CPU the final weights are bit for
    bit those of an uninterrupted run. With more steps than before, a run goes on to the
    new last one, also a finished run; its learning rate follows the new schedule from
    there on. If clips were added or removed since, the error names them.

    Args:
        recipe: the recipe, such as `RECIPES["finetune_full"]`.
        data: the clips and their classes.
        out: local folder of the run.
        options: seed, width, dtype and more.
        strategy: of `distribution.create`; by default all GPUs of this machine. All
            workers of a multi-worker strategy call this function.
        stop: when set, training saves the current step and ends.

    Returns:
        The final state, with a log row per checkpoint in `history` and that of the
        best checkpoint in `best`.

    Raises:
        ValueError: sizes do not fit, the folder was created with other settings, too
            many clips cannot be read, or a loss or weight is not finite.
        OSError: a file cannot be read or written, or a worker was lost.
        MemoryError: a batch does not fit into the memory of a device.
        KeyboardInterrupt: `stop` was set; the steps so far are saved.

    Examples:
        >>> clips = i3d.read_folder("videos")
        >>> data = i3d.TrainingData(
        ...     clips.split("train"), clips.split("val"), clips.class_names
        ... )
        >>> i3d.train(i3d.RECIPES["finetune_full"], data, "run").best["val_top1"]
        0.95
    """
    check_out(out)
    strategy = strategy or distribution.create()
    stop = stop or threading.Event()
    if options.width is None:
        newest = RunCheckpoints(out, data.class_names, recipe).newest()
        width = initial_width(recipe) if newest is None else Checkpoint(newest).width
        options = dataclasses.replace(options, width=width)
    run = _Run(recipe, data, os.fspath(out), options, strategy, stop)
    number, workers = distribution.worker(strategy)
    logging.info(
        "%d steps of %d clips on %d device(s); %d clips to train on, %d to validate, "
        "%d classes",
        recipe.steps,
        recipe.batch_size,
        strategy.num_replicas_in_sync,
        len(data.training),
        len(data.validation),
        len(data.class_names),
    )
    check(recipe, data, options, strategy.num_replicas_in_sync)
    if "flow" in recipe.clip.streams:
        for clips in (data.training, data.validation):
            check_flow(clips)
    report_labels(recipe, data)
    try:
        if number > 0:
            return _fit(run)
        files.make_dirs(out)
        with run_dir.only_run(out):
            run_dir.clear_unfinished(out)
            today = settings(recipe, data, options)
            check_data(out, data, today)
            path = files.join(out, "settings.json")
            extend_settings(path, today)
            run_dir.keep_settings(path, today, upgrade=upgrade)
            keep_data(out, data)
            state = _fit(run)
    except tf.errors.OpError as error:
        raise explained(error, workers) from error
    if state.history:
        title = f"{recipe.model}, {streams.title(recipe.clip.stream)}"
        plots.draw_training(state.history, title, files.join(out, "curves.png"))
    return state


def check_out(out: str | os.PathLike) -> None:
    """Checks the folder of a run.

    Raises:
        OSError: nothing can be written there.
        ValueError: it is an address. Checkpoints are replaced by renaming folders, and
            the logs are appended to, which object stores cannot do.
    """
    if not os.fspath(out) or is_address(out):
        raise ValueError(
            f"out={files.redact(out)}: must be a folder on this machine; copy the run "
            "elsewhere afterwards"
        )
    files.check_writable(out)


def _fit(run):
    """Trains from the newest checkpoint, or the initial weights, to the last step."""
    recipe, data, _, options, strategy, stop = run
    number, _ = distribution.worker(strategy)
    checkpoints = RunCheckpoints(run.folder, data.class_names, recipe)
    with strategy.scope():
        trainer, state = _initial(run, checkpoints)
    _check_workers(run, state)
    trainer.seed(options.seed, state.step)
    validate = None
    if data.validation:
        replicas = strategy.num_replicas_in_sync
        validate = make_validation(
            trainer.model,
            data.validation,
            recipe,
            batch_size=recipe.batch_size
            // (replicas * options.gradient_accumulation_steps),
            strategy=strategy,
            stop=stop,
        )
    saving = Checkpoints(
        recipe,
        state,
        checkpoint_every=options.steps_between_checkpoints(recipe, len(data.training)),
        checkpoints=checkpoints,
        logs=RunLogs(run.folder, state.history) if number == 0 else None,
        validate=validate,
        stop=stop,
    )
    saving.validate_pending()
    left = recipe.steps - state.step
    if left <= 0:
        return state
    progress = ProgressBar(
        state.step, recipe.steps, recipe.batch_size, shown=number == 0
    )
    try:
        trainer.fit(
            distribution.batches(recipe, data, options, state.step, strategy),
            steps_per_epoch=left,
            shuffle=False,
            verbose=0,
            callbacks=[LearningRate(recipe, state), progress, saving],
        )
    finally:
        progress.close()
    return state


def _initial(run, checkpoints):
    """The trainer, and the state of the newest checkpoint or a new one."""
    recipe, data, _, options, *_ = run
    keras.utils.set_random_seed(options.seed)
    model = build_model(
        recipe, len(data.class_names), width=options.width, dtype=options.dtype
    )
    model.class_names = data.class_names
    is_new = checkpoints.newest() is None
    if is_new:
        load_initial_weights(model, recipe)
    trainer = make_trainer(
        model,
        recipe,
        dtype=options.dtype,
        gradient_accumulation_steps=options.gradient_accumulation_steps,
        class_weights=class_weights.resolve(options.class_weights, recipe, data),
    )
    if is_new:
        return trainer, RunState()
    state = checkpoints.restore(model, trainer.optimizer)
    logging.info("Resuming after step %d", state.step)
    return trainer, state


def _check_workers(run, state):
    """Compares step and settings of all workers."""
    if distribution.worker(run.strategy)[1] == 1:
        return  # Fingerprints of large datasets take a second.
    plan = [state.step, settings(run.recipe, run.data, run.options)]
    distribution.check_equal(run.strategy, json.dumps(plan))
