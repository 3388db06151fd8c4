"""Keras callbacks of a run: learning rate and checkpoints."""

import math
import threading
import time
from collections.abc import Callable

import keras
from absl import logging

from .logs import RunLogs
from .recipe import TrainingRecipe
from .run_checkpoints import NotFiniteError, RunCheckpoints
from .state import RunState


class LearningRate(keras.callbacks.Callback):
    """Sets the recipe's learning rate, times the state's scale, before each step.

    Args:
        recipe: the recipe.
        state: state of the run.
    """

    def __init__(self, recipe: TrainingRecipe, state: RunState):
        super().__init__()
        self._recipe = recipe
        self._state = state
        self._rate = None

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the rate if it has changed."""
        del batch, logs
        rate = self._recipe.rate(self._state.step) * self._state.rate_scale
        if rate != self._rate:
            self.model.optimizer.learning_rate = rate
            self._rate = rate


class Checkpoints(keras.callbacks.Callback):
    """Saves, validates and logs every `checkpoint_every` steps.

    The checkpoint is saved before the validation, so that nothing that happens during
    the validation loses the steps; a resumed run validates first (`validate_pending`).

    Args:
        recipe: the recipe.
        state: state of the run, updated here.
        checkpoint_every: steps between two checkpoints.
        checkpoints: where checkpoints are saved.
        logs: where log rows go; None for workers that write no files at all.
        validate: function of `make_validation`, or None.
        stop: set to save and stop after the current step.

    Raises:
        ValueError: during training, the loss or a weight is not finite.
        OSError: during training, a file cannot be written.
        KeyboardInterrupt: during training, `stop` was set; the steps are saved.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        state: RunState,
        *,
        checkpoint_every: int,
        checkpoints: RunCheckpoints,
        logs: RunLogs | None,
        validate: Callable[[], dict[str, float]] | None,
        stop: threading.Event,
    ):
        super().__init__()
        self._recipe = recipe
        self._state = state
        self._checkpoint_every = checkpoint_every
        self._checkpoints = checkpoints
        self._logs = logs
        self._validate = validate
        self._stop = stop
        self._start_timer()

    def on_train_batch_end(self, batch, logs=None):
        """Counts the step, and saves a checkpoint when one is due."""
        del batch
        state = self._state
        state.step += 1
        if not math.isfinite(float(logs["loss"])):
            raise ValueError(
                f"the loss is {float(logs['loss'])} at step {state.step}. "
                f"{self._advice()}"
            )
        is_last = state.step == self._recipe.steps
        if is_last or state.step % self._checkpoint_every == 0:
            state.pending = self._log_row(logs)
            self._save()
            self.validate_pending()
            self.model.reset_metrics()
            self._start_timer()
        elif self._stop.is_set():
            self._save()
            self._delete_old()
        if self._stop.is_set() and not is_last:
            raise KeyboardInterrupt

    def validate_pending(self):
        """Validates and logs a saved checkpoint, if that has not been done."""
        state = self._state
        if state.pending is None:
            return
        row = state.pending | (self._validate() if self._validate else {})
        state.pending = None
        state.history.append(row)
        if self._validate:
            state.update_best(row)
            if state.lower_rate_on_plateau(row["val_loss"], self._recipe.plateau):
                logging.info(
                    "The validation loss has stopped falling: learning rate times %.4g",
                    state.rate_scale,
                )
        self._delete_old()
        if self._logs:
            self._logs.write(state.history)
            figures = (f"{name} {row[name]:.4g}" for name in list(row)[1:])
            logging.info("Step %d: %s", row["step"], ", ".join(figures))

    def _start_timer(self):
        self._timer = self._state.step, time.monotonic()

    def _log_row(self, logs):
        first, started = self._timer
        clips = (self._state.step - first) * self._recipe.batch_size
        return {
            "step": self._state.step,
            **{name: float(value) for name, value in logs.items()},
            "learning_rate": self._recipe.rate(self._state.step - 1)
            * self._state.rate_scale,
            "clips_per_second": clips / (time.monotonic() - started),
        }

    def _save(self):
        self.model.average_moving_statistics()  # All workers take part.
        if self._logs is None:
            return
        try:
            self._checkpoints.save(self.model.model, self.model.optimizer, self._state)
        except NotFiniteError as error:
            raise ValueError(
                f"step {self._state.step}: {error}. {self._advice()}"
            ) from error

    def _delete_old(self):
        if self._logs:
            best = self._state.best
            self._checkpoints.keep(self._state, best=best and best["step"])

    def _advice(self):
        newest = self._checkpoints.newest()
        good = (
            "There is no checkpoint yet."
            if newest is None
            else f"The last good checkpoint is {newest}."
        )
        return f"{good} A lower learning rate may help"
