"""Where a run reports to: `log.csv`, TensorBoard and a progress bar."""

import csv
import os
from collections.abc import Sequence

import keras
import tensorflow as tf

from ..utils import files
from ..utils.progress import Bar


class RunLogs:
    """`log.csv` and `tensorboard/` of a run: one row, or point, per checkpoint.

    Args:
        run: folder of the run.
        history: log rows so far (`RunState.history`); the file is updated to match.

    Raises:
        OSError: they cannot be written, here or later.
    """

    def __init__(self, run: str | os.PathLike, history: Sequence[dict]):
        self._path = files.join(run, "log.csv")
        self._points = tf.summary.create_file_writer(files.join(run, "tensorboard"))
        if history:
            # A killed run may have saved a checkpoint without logging it.
            self._write_csv(history)

    def write(self, history: Sequence[dict]) -> None:
        """Adds the last row of the history."""
        self._write_csv(history)
        step, *points = history[-1].items()
        with self._points.as_default(step[1]):
            for name, value in points:
                tf.summary.scalar(name, value)
        self._points.flush()

    def _write_csv(self, history):
        # Rewritten as a whole, so that it never has more than the checkpoints.
        with (
            files.atomic_writer(self._path) as path,
            open(path, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, history[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)


class ProgressBar(keras.callbacks.Callback):
    """Shows loss, top-1 of a softmax, clips per second and the remaining time.

    Args:
        step: number of steps done so far.
        steps: number of the last step.
        batch_size: clips per step, on all replicas.
        shown: whether to show the bar at all.
    """

    def __init__(self, step: int, steps: int, batch_size: int, *, shown: bool = True):
        super().__init__()
        self._batch_size = batch_size
        self._bar = Bar(
            desc="Training",
            total=steps * batch_size,
            initial=step * batch_size,
            unit="clip",
            disable=not shown,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar by one step."""
        del batch
        self._bar.set_postfix(
            {name: f"{float(value):.4g}" for name, value in logs.items()},
            refresh=False,
        )
        self._bar.update(self._batch_size)

    def close(self):
        """Closes the bar; Keras calls no callback when a training fails."""
        self._bar.close()
