"""What a model says of a whole clip: the protocols of evaluation.

TensorFlow is imported when a clip is scored: a finished evaluation needs none.
"""

import collections
import dataclasses

import numpy as np

from ..arguments import suggest_arguments
from ..data import clip_recipe, prefetch
from ..inference.frames import MAX_WHOLE
from ..inference.scores import activation_of, joint_logits, probabilities_of
from ..video import transforms
from .scored_models import Model


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

    @property
    def longest(self) -> int | None:
        """Frames up to which I3D scores a clip in one pass; None is any number."""
        return MAX_WHOLE if self.averages_logits else None


def score(
    models: dict[str, Model], clip: dict[str, np.ndarray], protocol: Protocol
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores a whole clip.

    Args:
        models: models of the protocol's streams, of the same classes.
        clip: streams of `samples`, resized and not cropped.
        protocol: what is done.

    Returns:
        For each of `scored_names(models)`: what its classes are ranked by, and their
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
    return _conclude(
        logits, activation_of(models), averages_logits=protocol.averages_logits
    )


def score_long(
    models: dict[str, Model], clip: prefetch.ReadClip, protocol: Protocol
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores a clip that is too long to hold, in pieces: the protocol of all frames.

    Args:
        models: I3D of the protocol's streams, of the same classes.
        clip: the video or record, with its `long`.
        protocol: what is done.

    Returns:
        As of `score`.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read, or logits are not finite.
    """
    from ..inference import whole_clips

    long = {name: model.long for name, model in models.items()}
    logits = collections.defaultdict(list)
    for change in (dict, _mirror)[: 1 + protocol.flip]:
        done = whole_clips.run_source(long, clip.source, protocol.recipe, change)
        for name, outputs in done.outputs.items():
            logits[name].append(outputs["Logits"].astype(np.float64))
    logits = {name: np.concatenate(logits[name]) for name in models}
    return _conclude(logits, activation_of(models), averages_logits=True)


def _mirror(frame):
    flips = {"rgb": transforms.flip, "flow": transforms.flip_flow}
    return {name: flips[name](stream) for name, stream in frame.items()}


def _conclude(logits, activation, *, averages_logits):
    """What classes are ranked by and probabilities, of `(views, num_classes)` each."""
    for name, of_views in logits.items():
        if not np.isfinite(of_views).all():
            raise ValueError(
                f"the {name} model gives NaN or infinity; its checkpoint is of a "
                "training that diverged, or its data are out of range"
            )
    if set(logits) == {"rgb", "flow"}:
        logits["joint"] = joint_logits(logits)
    results = {}
    for name, of_views in logits.items():
        if averages_logits:
            scores = of_views.mean(0)
            results[name] = scores, probabilities_of(scores, activation)
        else:
            probabilities = probabilities_of(of_views, activation).mean(0)
            results[name] = probabilities, probabilities
    return results


def _batches(clip, protocol):
    """Yields batches of views; with the flip, each is followed by its mirror image."""
    import tensorflow as tf

    from ..data.tf_data import views

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
