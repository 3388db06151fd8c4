"""What a model says of a whole clip: the protocols of evaluation."""

import collections
import dataclasses
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from ..arguments import suggest_arguments
from ..checkpoints.pretrained import open_weights
from ..data import clip_recipe
from ..data.clips import unknown_class
from ..data.tf_data import views
from ..inference import graph
from ..inference.scores import joint_logits, softmax


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a clip is scored.

    Attributes:
        recipe: streams, short side, crop and frames of a view.
        views: temporal clips and spatial crops, whose probabilities are averaged; None
            is one view of all frames, of which the model averages the logits, or where
            `recipe.windowed` windows, whose probabilities are averaged.
        flip: whether each view is seen mirrored too.
        batch_size: views that go through the model at once.

    Source: paper, section 2.5 (None); the 30 views of Non-local networks and SlowFast.
    """

    recipe: clip_recipe.ClipRecipe
    views: tuple[int, int] | None = None
    flip: bool = False
    batch_size: int = 1

    @property
    def averages_logits(self) -> bool:
        """Whether logits of views are averaged, or else their probabilities."""
        return self.views is None and not self.recipe.windowed


class Classes(NamedTuple):
    """The classes of models, and how a dataset's label indices say them."""

    names: tuple[str, ...]  # of the models, by index
    of_dataset: dict[int, str]  # by the dataset's index


class Model:
    """A model out of a checkpoint, ready to be called.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        stream: "rgb", "flow", or "joint" for one model of both.
        kind: one of `ARCHITECTURES`.
        dtype: "float32" or "bfloat16".

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: it is of another model or another stream, or does not say the names
            of its classes.

    Attributes:
        path: as given.
        scored: what it gives logits of, the one that counts last.
        class_names: names by index.
        fingerprint: identifies the checkpoint's content.
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
        model = checkpoint.build_model()
        self.path = path
        self.scored = (stream,)
        if kind == "two_stream" and stream == "joint":
            model = model.per_stream()
            self.scored = ("rgb", "flow", "joint")
        self.fingerprint = checkpoint.fingerprint
        self.class_names = checkpoint.class_names
        # Any length and batch without tracing anew, and the fastest there is on CPU.
        self._frozen = graph.freeze(graph.fold_batch_norm(model, dtype=dtype))

    def __call__(self, batch: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """Logits by name, float64 `(batch, num_classes)`, of streams by name.

        Raises:
            MemoryError: the batch is too large.
        """
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


def scored(models: dict[str, Model]) -> tuple[str, ...]:
    """What some models score together, the one that counts last.

    Args:
        models: by stream. Those of two streams are summed: "joint".
    """
    names = tuple(name for model in models.values() for name in model.scored)
    return (*names, "joint") if len(models) > 1 else names


def score(
    models: dict[str, Model], clip: dict[str, np.ndarray], protocol: Protocol
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores a whole clip.

    Args:
        models: models of the protocol's streams, of the same classes.
        clip: streams of `samples`, resized and not cropped.
        protocol: what is done.

    Returns:
        For each of `scored(models)`: what its classes are ranked by, and their
        probabilities, both float64 `(num_classes,)`. The former are logits where
        logits are averaged: they keep the order of probabilities that are too small to
        tell apart.

    Raises:
        MemoryError: the clip or a batch of views is too large.
        ValueError: logits are not finite.
    """
    logits = collections.defaultdict(list)
    for batch in _batches(clip, protocol):
        for model in models.values():
            for name, of_batch in model(batch).items():
                logits[name].append(of_batch)
    logits = {name: np.concatenate(parts) for name, parts in logits.items()}
    for name, of_views in logits.items():
        if not np.isfinite(of_views).all():
            raise ValueError(
                f"the {name} model gives NaN or infinity; its checkpoint is of a "
                "training that diverged, or its data are out of range"
            )
    if len(models) > 1:
        logits["joint"] = joint_logits(logits)
    results = {}
    for name, of_views in logits.items():
        if protocol.averages_logits:
            scores = of_views.mean(0)
            results[name] = scores, softmax(scores)
        else:
            probabilities = softmax(of_views).mean(0)
            results[name] = probabilities, probabilities
    return results


def _batches(clip, protocol):
    """Yields batches of views; with the flip, each is followed by its mirror image."""
    options = {"recipe": protocol.recipe, "views": protocol.views}
    count = int(views.num_views(clip, **options))
    for first in range(0, count, protocol.batch_size):
        with tf.device("CPU"):  # Whole clips stay where there is memory for them.
            cut = [
                views.cut(clip, view, **options)
                for view in range(first, min(first + protocol.batch_size, count))
            ]
            batch = {name: tf.stack([view[name] for view in cut]) for name in clip}
            batch = views.normalize(batch)
        yield batch
        if protocol.flip:
            yield views.mirror(batch)
