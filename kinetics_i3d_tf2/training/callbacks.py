"""What happens beside the steps of training: the rate, the log, checkpoints, the end.

A round is the steps between two checkpoints.
"""

import csv
import math
import os
import threading
import time
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from ..utils import files
from .recipe import TrainingRecipe
from .run_checkpoints import NotFiniteError, Snapshots


def new_state() -> dict:
    """The state of a run that has not begun, as it is saved in checkpoints."""
    return {
        "step": 0,
        "rate_scale": 1.0,  # what `plateau` has made of the rate
        "least_loss": None,  # of validation
        "rounds_waited": 0,
        "pending": None,  # the row of a round that is saved and not yet validated
        "best": None,  # the row of the best round
        "loss_scale": None,  # of mixed_float16: (steps since it grew, scale)
        "history": [],  # a row for each round
    }


class Logs:
    """`log.csv` and `tensorboard/` of a run: a row, or a point, for each round.

    Args:
        run: the folder of the run.
        history: rows of the rounds so far; the file is brought up to date with them.

    Raises:
        OSError: they cannot be written, here or later.
    """

    def __init__(self, run: str | os.PathLike, history: Sequence[dict]):
        self._path = files.join(run, "log.csv")
        self._points = tf.summary.create_file_writer(files.join(run, "tensorboard"))
        if history:
            # A run that was killed may have saved a round and not logged it.
            self._write_csv(history)

    def write(self, history: Sequence[dict]) -> None:
        """Adds the last of the rounds."""
        self._write_csv(history)
        step, *points = history[-1].items()
        with self._points.as_default(step[1]):
            for name, value in points:
                tf.summary.scalar(name, value)
        self._points.flush()

    def _write_csv(self, history):
        # Written anew, so that it never says more than the checkpoints.
        with (
            files.atomic_writer(self._path) as path,
            open(path, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, history[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)


class Progress(keras.callbacks.Callback):
    """A bar with the loss, top-1, clips a second and the time that is left.

    Args:
        step: the step that comes next.
        steps: the last step's number.
        batch_size: clips a step, of all replicas.
        shown: whether there is a bar at all.
    """

    def __init__(self, step: int, steps: int, batch_size: int, *, shown: bool = True):
        super().__init__()
        self._size = batch_size
        self._bar = tqdm(
            desc="Training",
            total=steps * batch_size,
            initial=step * batch_size,
            unit="clip",
            disable=None if shown else True,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        """Shows a step."""
        del batch
        self._bar.set_postfix(
            {name: f"{float(logs[name]):.4g}" for name in ("loss", "top1")},
            refresh=False,
        )
        self._bar.update(self._size)

    def close(self):
        """Ends the bar, whatever ended the training."""
        self._bar.close()


class Rounds(keras.callbacks.Callback):
    """Sets the rate, and ends each round with a validation, a log and a checkpoint.

    Args:
        recipe: the recipe.
        checkpoint_every: steps of a round.
        state: as `new_state` or a checkpoint gave it; kept up to date.
        snapshots: where checkpoints go.
        logs: where the log goes; None for workers that write nothing, checkpoints too.
        validate: function of `make_validation`, or None.
        stop: set when the user wants to stop after the step that runs.

    Raises:
        ValueError: in training, the loss or a weight is not finite.
        OSError: in training, a file cannot be written.
        KeyboardInterrupt: in training, after Ctrl-C or SIGTERM, when the steps so far
            are saved.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        checkpoint_every: int,
        state: dict,
        *,
        snapshots: Snapshots,
        logs: Logs | None,
        validate: Callable[[], dict[str, float]] | None,
        stop: threading.Event,
    ):
        super().__init__()
        self._recipe = recipe
        self._checkpoint_every = checkpoint_every
        self._state = state
        self._snapshots = snapshots
        self._logs = logs
        self._validate = validate
        self._stop = stop
        self._rate = None
        self._begun = (state["step"], time.monotonic())

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the learning rate, where it changes."""
        del batch, logs
        rate = self._recipe.rate(self._state["step"]) * self._state["rate_scale"]
        if rate != self._rate:
            self.model.optimizer.learning_rate = rate
            self._rate = rate

    def on_train_batch_end(self, batch, logs=None):
        """Counts the step; ends the round, when it does."""
        del batch
        state = self._state
        state["step"] += 1
        if not math.isfinite(float(logs["loss"])):
            raise ValueError(
                f"the loss is {float(logs['loss'])} at step {state['step']}. "
                f"{self._last_good()} A lower --learning_rate may help"
            )
        is_last = state["step"] == self._recipe.steps
        if is_last or state["step"] % self._checkpoint_every == 0:
            self._end_round({name: float(logs[name]) for name in ("loss", "top1")})
        elif self._stop.is_set():
            self._save()
            self._keep()
        if self._stop.is_set() and not is_last:
            raise KeyboardInterrupt

    def finish(self):
        """Does what is left of a round that is saved: validation, judgement, log."""
        state = self._state
        if state["pending"] is None:
            return
        row = state["pending"] | (self._validate() if self._validate else {})
        state["pending"] = None
        state["history"].append(row)
        if self._validate:
            self._judge(row)
        self._keep()
        if self._logs:
            self._logs.write(state["history"])
            figures = (f"{name} {row[name]:.4g}" for name in list(row)[1:])
            logging.info("Step %d: %s", row["step"], ", ".join(figures))

    def _save(self):
        self.model.average_moving_statistics()  # All workers take part.
        if self._logs is None:
            return
        optimizer = self.model.optimizer
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            scale = (optimizer.step_counter, optimizer.dynamic_scale)
            self._state["loss_scale"] = [float(value) for value in scale]
            optimizer = optimizer.inner_optimizer
        try:
            self._snapshots.save(self.model.model, optimizer, self._state)
        except NotFiniteError as error:
            raise ValueError(
                f"step {self._state['step']}: {error}. {self._last_good()} A lower "
                "--learning_rate may help"
            ) from error

    def _end_round(self, row):
        state = self._state
        first, begun = self._begun
        seconds = time.monotonic() - begun
        clips = (state["step"] - first) * self._recipe.batch_size
        row = {"step": state["step"], **row, "learning_rate": self._rate}
        state["pending"] = row | {"clips_per_second": clips / seconds}
        # Before the validation: nothing that happens in it loses the round.
        self._save()
        self.finish()
        self.model.reset_metrics()
        self._begun = (state["step"], time.monotonic())

    def _keep(self):
        best = self._state["best"]
        if self._logs:
            self._snapshots.keep(self._state, best=best and best["step"])

    def _judge(self, row):
        """Whether this round is the best, and whether the loss has stopped falling."""
        state = self._state
        best = state["best"]
        score = (row["val_top1"], -row["val_loss"])
        if best is None or score > (best["val_top1"], -best["val_loss"]):
            state["best"] = row
        if state["least_loss"] is None or row["val_loss"] < state["least_loss"]:
            state |= {"least_loss": row["val_loss"], "rounds_waited": 0}
            return
        state["rounds_waited"] += 1
        if self._recipe.plateau and state["rounds_waited"] >= self._recipe.plateau:
            state |= {"rate_scale": state["rate_scale"] / 10, "rounds_waited": 0}
            logging.info("The validation loss has stopped falling: a tenth of the rate")

    def _last_good(self):
        newest = self._snapshots.newest()
        if newest is None:
            return "There is no checkpoint yet."
        return f"The last good checkpoint is {newest}."
