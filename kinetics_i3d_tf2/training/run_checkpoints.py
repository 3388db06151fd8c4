"""The newest and the best checkpoint of a training run, written atomically.

A run's folder has `checkpoints/STEP/`, a folder per checkpoint with weights and
momentum in the released format, `label_map.txt`, `config.json` and `state.json`, and
the links `last` and `best` to two of them.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from ..checkpoints.config import write_config_of_model
from ..checkpoints.sonnet import load_checkpoint, load_momentum, save_checkpoint
from ..data import labels
from ..utils import file_system, files, run_dir
from .recipe import TrainingRecipe
from .state import RunState

_STATE = "state.json"


class NotFiniteError(ValueError):
    """A weight is NaN or infinite."""


class RunCheckpoints:
    """The checkpoints in the folder of a run.

    Args:
        run: folder of the run.
        class_names: names by index.
        recipe: how the model is trained, for `config.json`.
    """

    def __init__(
        self,
        run: str | os.PathLike,
        class_names: Sequence[str],
        recipe: TrainingRecipe | None = None,
    ):
        self._run = Path(run)
        self._folder = self._run / "checkpoints"
        self._class_names = class_names
        self._recipe = recipe

    def newest(self) -> Path | None:
        """Folder of the newest checkpoint, or None."""
        steps = self._steps()
        return self._folder / _name(max(steps)) if steps else None

    def restore(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> RunState | None:
        """Loads the newest checkpoint into a model and its optimizer.

        Args:
            model: the model.
            optimizer: its built `Momentum`, or that in a `LossScaleOptimizer`.

        Returns:
            The state that was saved with the checkpoint; None if there is none.

        Raises:
            OSError: a file of the checkpoint is missing or cannot be read.
            ValueError: the checkpoint is damaged, or of another model.
        """
        newest = self.newest()
        if newest is None:
            return None
        load_checkpoint(model, newest)
        load_momentum(_momentum(optimizer), newest)
        try:
            values = json.loads((newest / _STATE).read_text(encoding="utf-8"))
            state = RunState.from_json(values)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{newest / _STATE}: is not the state of a training run"
            ) from error
        if state.loss_scale:
            steps, scale = state.loss_scale
            optimizer.step_counter.assign(steps)
            optimizer.dynamic_scale.assign(scale)
        return state

    def save(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, state: RunState
    ) -> None:
        """Writes a checkpoint, which has its name only once it is complete on disk.

        Args:
            model: the model.
            optimizer: as for `restore`.
            state: its `step` names the checkpoint, its `loss_scale` is set here.

        Raises:
            OSError: it cannot be written; the older ones are unchanged.
            NotFiniteError: a weight is not finite.
        """
        for variable in model.weights:
            if not np.isfinite(variable.numpy()).all():
                raise NotFiniteError(f"{variable.path} is NaN or infinite")
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            scale = (optimizer.step_counter, optimizer.dynamic_scale)
            state.loss_scale = [float(value) for value in scale]
        self.clear_unfinished()
        with run_dir.atomic_folder(self._folder / _name(state.step)) as folder:
            prefix = folder / "model.ckpt"
            save_checkpoint(model, prefix, optimizer=_momentum(optimizer))
            labels.write_label_map(folder / labels.LABEL_MAP, self._class_names)
            write_config_of_model(prefix, model, recipe=self._recipe)
            (folder / _STATE).write_text(_text(state), encoding="utf-8")
        self._link("last", state.step)
        if not os.path.lexists(self._run / "best"):
            self._link("best", state.step)  # Until this one is validated.

    def keep(self, state: RunState, *, best: int | None) -> None:
        """Updates the newest checkpoint's state and deletes all but it and the best.

        Args:
            state: of the newest checkpoint.
            best: step of the best checkpoint, this or an earlier one; None, where
                nothing is validated, takes the newest.

        Raises:
            OSError: a file cannot be written.
        """
        with files.atomic_writer(self._folder / _name(state.step) / _STATE) as path:
            path.write_text(_text(state), encoding="utf-8")
            file_system.sync(path)
        best = state.step if best is None else best
        self._link("best", best)
        for old in self._steps() - {state.step, best}:
            shutil.rmtree(self._folder / _name(old))

    def clear_unfinished(self) -> None:
        """Deletes the unfinished checkpoint of a killed run."""
        for found in self._folder.glob(".*"):
            shutil.rmtree(found, ignore_errors=True)

    def _steps(self):
        names = [path.name for path in self._folder.glob("[0-9]*")]
        return {int(name) for name in names if len(name) == 8 and name.isdecimal()}

    def _link(self, name, step):
        target = os.path.join("checkpoints", _name(step))
        file_system.make_link(target, self._run / name)


def _name(step):
    return f"{step:08d}"


def _text(state):
    return json.dumps(dataclasses.asdict(state), indent=1) + "\n"


def _momentum(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)
