"""What a model says of a whole clip: the protocols of evaluation."""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from . import inference, models, recipes, storage, views
from .tensor_bundle import find_prefix


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a clip is scored.

    Attributes:
        recipe: streams, short side, crop and frames of a view.
        views: temporal clips and spatial crops, whose probabilities are averaged; None
            is one view of all frames, of which the model averages the logits.
        flip: whether each view is seen mirrored too.
        batch_size: views that go through the model at once.

    Source: paper, section 2.5 (None); the 30 views of Non-local networks and SlowFast.
    """

    recipe: recipes.ClipRecipe
    views: tuple[int, int] | None = None
    flip: bool = False
    batch_size: int = 1

    @property
    def scored(self) -> tuple[str, ...]:
        """What is scored, the one that counts last: both streams, then their sum."""
        streams = self.recipe.streams
        return (*streams, "joint") if len(streams) > 1 else streams


class Classes(NamedTuple):
    """The classes of models, and how a dataset's label indices say them."""

    names: tuple[str, ...]  # of the models, by index
    of_dataset: dict[int, str]  # by the dataset's index


class Model:
    """A stream's model, out of a checkpoint and ready to be called.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        stream: "rgb" or "flow".
        dtype: "float32" or "bfloat16".

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: it is of another model or another stream, or does not say the names
            of its classes.

    Attributes:
        path: as given.
        class_names: names by index.
        fingerprint: identifies the checkpoint's content.
    """

    def __init__(self, path: str | os.PathLike, stream: str, dtype: str = "float32"):
        model = models.load_stream(path, stream)
        self.path = path
        # The index holds checksums of all tensors.
        with storage.open_file(f"{find_prefix(path)}.index", "rb") as file:
            self.fingerprint = hashlib.sha256(file.read()).hexdigest()[:16]
        self.class_names = models.class_names_of(path)
        # Any length and batch without tracing anew, and the fastest there is on CPU.
        self._frozen = inference.freeze(inference.fold_batch_norm(model, dtype=dtype))

    def __call__(self, batch: tf.Tensor) -> np.ndarray:
        """Logits, float64 `(batch, num_classes)`.

        Raises:
            MemoryError: the batch is too large.
        """
        try:
            return np.asarray(self._frozen(batch), np.float64)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(
                f"out of memory with a batch of shape {tuple(batch.shape)}; try a "
                "smaller --batch_size, or --protocol=views for long clips"
            ) from error


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
            f"the {len(names)} of {first.path}, for example '{unknown[0]}'; name a "
            "checkpoint that was trained on them"
        )
    if len(of_dataset) < len(names):
        logging.info(
            "The dataset has %d of the model's %d classes", len(of_dataset), len(names)
        )
    return Classes(names, dict(enumerate(of_dataset)))


def score(
    models: dict[str, Model], clip: dict[str, np.ndarray], protocol: Protocol
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores a whole clip.

    Args:
        models: model of each stream of the protocol, of the same classes.
        clip: streams of `samples`, resized and not cropped.
        protocol: what is done.

    Returns:
        For each of `protocol.scored`: what its classes are ranked by, and their
        probabilities, both float64 `(num_classes,)`. The former are logits where
        logits are averaged: they keep the order of probabilities that are too small to
        tell apart.

    Raises:
        MemoryError: the clip or a batch of views is too large.
        ValueError: logits are not finite.
    """
    logits = {name: [] for name in protocol.recipe.streams}
    for batch in _batches(clip, protocol):
        for name, model in models.items():
            logits[name].append(model(batch[name]))
    logits = {name: np.concatenate(parts) for name, parts in logits.items()}
    for name, of_views in logits.items():
        if not np.isfinite(of_views).all():
            raise ValueError(
                f"the {name} model gives NaN or infinity; its checkpoint is of a "
                "training that diverged, or its data are out of range"
            )
    if len(logits) > 1:
        logits["joint"] = logits["rgb"] + logits["flow"]
    results = {}
    for name, of_views in logits.items():
        if protocol.views is None:
            scores = of_views.mean(0)
            results[name] = scores, _softmax(scores)
        else:
            probabilities = _softmax(of_views).mean(0)
            results[name] = probabilities, probabilities
    return results


def _batches(clip, protocol):
    """Yields batches of views; with the flip, each is followed by its mirror image."""
    count = 1 if protocol.views is None else protocol.views[0] * protocol.views[1]
    for first in range(0, count, protocol.batch_size):
        with tf.device("CPU"):  # Whole clips stay where there is memory for them.
            cut = [
                views.cut(clip, view, recipe=protocol.recipe, views=protocol.views)
                for view in range(first, min(first + protocol.batch_size, count))
            ]
            batch = {name: tf.stack([view[name] for view in cut]) for name in clip}
            batch = views.normalize(batch)
        yield batch
        if protocol.flip:
            yield views.mirror(batch)


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)
