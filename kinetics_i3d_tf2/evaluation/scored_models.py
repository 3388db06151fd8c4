"""Models out of checkpoints, ready to be called, and the classes that they score.

TensorFlow is imported when a model is built.
"""

import functools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import logging

from ..checkpoints.pretrained import open_weights
from ..data.clips import unknown_class

if TYPE_CHECKING:
    import tensorflow as tf

    from ..inference.streaming import long_clips


class Classes(NamedTuple):
    """The classes of models, and how a dataset's label indices say them."""

    names: tuple[str, ...]  # of the models, by index
    of_dataset: dict[int, str]  # by the dataset's index


class Model:
    """A model out of a checkpoint, which is built when it is first called.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        stream: "rgb", "flow", or "joint" for one model of both.
        kind: one of `ARCHITECTURES`.
        dtype: "float32" or "bfloat16".

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: it is truncated, of another model or another stream, or does not say
            the names of its classes.

    Attributes:
        path: as given.
        kind: as given.
        scored: what it gives logits of, the one that counts last.
        class_names: names by index.
        fingerprint: identifies the checkpoint's content.
        activation: what makes probabilities of its logits, "softmax" or "sigmoid".
    """

    def __init__(
        self,
        path: str | os.PathLike,
        stream: str,
        *,
        kind: str = "i3d",
        dtype: str = "float32",
    ):
        checkpoint = open_weights(path).require(stream, kind)
        checkpoint.require_data()
        self._checkpoint, self._dtype = checkpoint, dtype
        self.activation = checkpoint.activation
        self.path = path
        self.kind = kind
        is_summed = kind == "two_stream" and stream == "joint"
        self.scored = ("rgb", "flow", "joint") if is_summed else (stream,)
        self.fingerprint = checkpoint.fingerprint
        self.class_names = checkpoint.class_names

    @functools.cached_property
    def _folded(self):
        from ..inference import graph

        # One answer for a clip, also of a model that was trained on places in time.
        temporal = {"temporal": "mean"} if self.kind == "i3d" else {}
        model = self._checkpoint.build_model(dtype="float32", **temporal)
        if len(self.scored) > 1:
            model = model.per_stream()
        return graph.fold_batch_norm(model, dtype=self._dtype)

    @functools.cached_property
    def _frozen(self):
        from ..inference import graph

        # Any length and batch without another trace, and the fastest there is on CPU.
        return graph.freeze(self._folded)

    def build(self) -> None:
        """Builds the model, unless it is built.

        Raises:
            OSError: the data file of the checkpoint is missing, or may not be read.
            ValueError: it is truncated or corrupt.
        """
        self._frozen  # noqa: B018 (it is cached)

    @functools.cached_property
    def long(self) -> "long_clips.LongClipModel":
        """An `InceptionI3d` for clips of any length."""
        from ..inference import graph
        from ..inference.streaming import long_clips

        return long_clips.LongClipModel(self._folded, prepare=graph.freeze)

    def __call__(self, batch: "dict[str, tf.Tensor]") -> dict[str, np.ndarray]:
        """Logits by name, float64 `(batch, num_classes)`, of streams by name.

        Raises:
            MemoryError: the batch is too large.
        """
        import tensorflow as tf

        stream = self.scored[-1]
        try:
            outputs = self._frozen(batch if stream == "joint" else batch[stream])
        except tf.errors.ResourceExhaustedError as error:
            shapes = ", ".join(str(tuple(clip.shape)) for clip in batch.values())
            raise MemoryError(
                f"out of memory with a batch of shape {shapes}; try a smaller "
                "--batch_size, or --protocol=views for long clips"
            ) from error
        if not isinstance(outputs, dict):
            outputs = {stream: outputs}
        return {name: np.asarray(outputs[name], np.float64) for name in self.scored}


def match_classes(models: dict[str, Model], of_dataset: Sequence[str]) -> Classes:
    """Checks that dataset and checkpoints mean the same classes, in whatever order.

    Args:
        models: model of each stream.
        of_dataset: names by the dataset's label index; they may be some of the models'.

    Returns:
        The classes.

    Raises:
        ValueError: the models are of different classes, or the dataset has others.
    """
    first, *others = models.values()
    names = first.class_names
    for other in others:
        if other.class_names != names:
            raise ValueError(
                f"{first.path} and {other.path} are of other classes, or of another "
                "order; joint logits need checkpoints of the same"
            )
    unknown = sorted(set(of_dataset) - set(names))
    if unknown:
        raise ValueError(
            f"{len(unknown)} of the dataset's {len(of_dataset)} classes are not among "
            f"the {len(names)} of {first.path}, for example "
            f"{unknown_class(unknown[0], names)}; name a checkpoint that was trained "
            "on them"
        )
    if len(of_dataset) < len(names):
        logging.info(
            "The dataset has %d of the model's %d classes", len(of_dataset), len(names)
        )
    return Classes(names, dict(enumerate(of_dataset)))


def scored_names(models: dict[str, Model]) -> tuple[str, ...]:
    """What some models score together, the one that counts last.

    Args:
        models: by stream. Those of two streams are summed: "joint".
    """
    names = tuple(name for model in models.values() for name in model.scored)
    return (*names, "joint") if len(models) > 1 else names
