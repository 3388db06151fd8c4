"""`config.json` next to a checkpoint: which model it is of, and how it was trained.

Checkpoints without one, such as the released, are recognised from names and shapes.
"""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data import labels
from ..models.checks import check_activation, check_temporal
from ..models.registry import ARCHITECTURES
from ..utils import files
from .file_formats.tensor_bundle import BundleReader

if TYPE_CHECKING:
    import keras

CONFIG = "config.json"


@dataclasses.dataclass(frozen=True)
class CheckpointConfig:
    """Content of `config.json`.

    Attributes:
        architecture: one of `models.registry.ARCHITECTURES`.
        stream: "rgb", "flow" or "joint".
        width: factor on filters.
        fingerprint: `BundleReader.fingerprint` of the checkpoint. The configuration of
            another checkpoint, of which the file is a remnant, is ignored.
        class_names: name of the file with the class names in the same folder, if any.
        temporal: "mean", or "dense" of an I3D that was trained on each place in time.
        activation: what makes probabilities of its logits, "softmax" or "sigmoid".
        recipe: the `TrainingRecipe` as JSON values, if it was trained by this package.

    Raises:
        ValueError: a value is out of range.
    """

    architecture: str
    stream: str
    width: float
    fingerprint: str
    class_names: str | None = None
    temporal: str = "mean"
    activation: str = "softmax"
    recipe: Mapping[str, Any] | None = None

    def __post_init__(self):
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}. Received: "
                f"{self.architecture!r}"
            )
        streams = ARCHITECTURES[self.architecture].streams
        if self.stream not in streams:
            raise ValueError(
                f"stream of {self.architecture} must be one of {', '.join(streams)}. "
                f"Received: {self.stream!r}"
            )
        if not isinstance(self.width, float | int) or not 0 < self.width < math.inf:
            raise ValueError(
                f"width must be a number greater than 0. Received: {self.width!r}"
            )
        check_temporal(self.temporal)
        check_activation(self.activation)
        if self.temporal != "mean" and self.architecture != "i3d":
            raise ValueError(
                f'temporal of {self.architecture} must be "mean". Received: '
                f"{self.temporal!r}"
            )
        name = self.class_names
        is_name = isinstance(name, str) and os.path.basename(name) == name != ""
        if name is not None and not is_name:
            raise ValueError(
                "class_names must be the name of a file in the checkpoint's folder. "
                f"Received: {name!r}"
            )


def write_config(prefix: str | os.PathLike, config: CheckpointConfig) -> None:
    """Writes `config.json` next to a checkpoint.

    Args:
        prefix: prefix of the checkpoint, local or an address.
        config: its configuration.

    Raises:
        OSError: the file cannot be written.
    """
    files.write_json(_path(prefix, CONFIG), dataclasses.asdict(config))


def write_config_of_model(
    prefix: str | os.PathLike, model: "keras.Model", *, recipe=None
) -> None:
    """Writes `config.json` next to the checkpoint of a model.

    Args:
        prefix: prefix of the checkpoint, as `save_checkpoint` returns it. If it has a
            label map, it must be written already.
        model: `InceptionI3d` or a model of another architecture.
        recipe: the `TrainingRecipe` that the model was trained with, if any.

    Raises:
        OSError: the checkpoint cannot be read, or the file cannot be written.
        ValueError: the model's stream is unknown.
    """
    config = CheckpointConfig(
        architecture=model.kind,
        stream=model.stream,
        width=model.width,
        fingerprint=BundleReader(prefix).fingerprint,
        class_names=label_map_name(prefix),
        temporal=model.temporal,
        activation=model.activation,
        recipe=None if recipe is None else dataclasses.asdict(recipe),
    )
    write_config(prefix, config)


def read_config(prefix: str | os.PathLike, fingerprint: str) -> CheckpointConfig | None:
    """Reads the `config.json` next to a checkpoint.

    Args:
        prefix: prefix of the checkpoint, local or an address.
        fingerprint: of the checkpoint.

    Returns:
        The configuration, or None without a file of this checkpoint.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no configuration of a checkpoint.
    """
    path = _path(prefix, CONFIG)
    if not files.exists(path):
        return None
    try:
        with files.open_file(path) as file:
            content = json.load(file)
        if not isinstance(content, dict) or "fingerprint" not in content:
            return None  # Other programs have files of that name, too.
        config = CheckpointConfig(**content)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{files.redact(path)}: "
            "is no configuration of a checkpoint; correct or delete it: "
            f"{error}"
        ) from error
    return config if config.fingerprint == fingerprint else None


def label_map_name(prefix: str | os.PathLike) -> str | None:
    """Name of the label map next to a checkpoint, if there is one."""
    return labels.LABEL_MAP if files.exists(_path(prefix, labels.LABEL_MAP)) else None


def _path(prefix, name):
    return files.sibling(prefix, name)
