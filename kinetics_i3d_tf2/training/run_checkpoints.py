"""The checkpoints of a training run: each whole or not there, the newest and the best.

A run's folder has `checkpoints/STEP/`, a folder each with a checkpoint in the released
format (weights, and Momentum slots), `label_map.txt` and `state.json`, and the links
`last` and `best` to two of them.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..checkpoints.sonnet import load_checkpoint, load_momentum, save_checkpoint
from ..data import labels
from ..utils import files, run_dir

_STATE = "state.json"


class NotFiniteError(ValueError):
    """A weight is NaN or infinite."""


class Snapshots:
    """The checkpoints in the folder of a run.

    Args:
        run: the folder.
        class_names: names by index.
    """

    def __init__(self, run: str | os.PathLike, class_names: Sequence[str]):
        self._run = Path(run)
        self._folder = self._run / "checkpoints"
        self._class_names = class_names

    def newest(self) -> Path | None:
        """The folder of the newest checkpoint, if there is one."""
        steps = self._steps()
        return self._folder / _name(max(steps)) if steps else None

    def restore(self, model, optimizer) -> dict | None:
        """Sets a model and its optimizer to the newest checkpoint, if there is one.

        Args:
            model: the model.
            optimizer: its built `Momentum`.

        Returns:
            The state that was saved with it.

        Raises:
            OSError: a file of the checkpoint is missing or cannot be read.
            ValueError: it is damaged, or of another model.
        """
        newest = self.newest()
        if newest is None:
            return None
        load_checkpoint(model, newest)
        load_momentum(optimizer, newest)
        return json.loads((newest / _STATE).read_text(encoding="utf-8"))

    def save(self, model, optimizer, state: dict) -> None:
        """Writes a checkpoint, whole and on the disk before it has its name.

        Args:
            model: the model.
            optimizer: its `Momentum`.
            state: what JSON can hold; `state["step"]` names the checkpoint.

        Raises:
            OSError: it cannot be written; the older ones are as they were.
            NotFiniteError: a weight is not finite.
        """
        for variable in model.weights:
            if not np.isfinite(variable.numpy()).all():
                raise NotFiniteError(f"{variable.path} is NaN or infinite")
        self.clear_unfinished()
        step = state["step"]
        with run_dir.atomic_folder(self._folder / _name(step)) as folder:
            prefix = folder / "model.ckpt"
            save_checkpoint(model, prefix, optimizer=optimizer)
            labels.write_label_map(folder / labels.LABEL_MAP, self._class_names)
            (folder / _STATE).write_text(_text(state), encoding="utf-8")
        self._link("last", step)

    def keep(self, state: dict, *, best: int | None) -> None:
        """Updates the newest checkpoint's state, and deletes what is of no more use.

        Args:
            state: of the newest checkpoint.
            best: step of the best checkpoint, this or an earlier one.

        Raises:
            OSError: a file cannot be written.
        """
        step = state["step"]
        with files.atomic_writer(self._folder / _name(step) / _STATE) as path:
            path.write_text(_text(state), encoding="utf-8")
            run_dir.sync(path)
        if best is not None:
            self._link("best", best)
        for old in self._steps() - {step, best}:
            shutil.rmtree(self._folder / _name(old))

    def clear_unfinished(self) -> None:
        """Deletes what a killed run left behind."""
        for found in self._folder.glob(".*"):
            shutil.rmtree(found, ignore_errors=True)

    def _steps(self):
        names = [path.name for path in self._folder.glob("[0-9]*")]
        return {int(name) for name in names if len(name) == 8 and name.isdecimal()}

    def _link(self, name, step):
        target = os.path.join("checkpoints", _name(step))
        temporary = self._run / f".{name}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        os.replace(temporary, self._run / name)


def _name(step):
    return f"{step:08d}"


def _text(state):
    return json.dumps(state, indent=1) + "\n"
