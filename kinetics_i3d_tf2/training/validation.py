"""Loss and accuracy on a validation split, divided among the workers."""

import math
import threading
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..data.tf_data import pipeline
from ..data.tf_data.label_checks import check_labels, check_range
from ..models.dense import count_places, place_frames, upsample_dense
from ..models.losses import last_step
from ..utils.average_precision import average_precision, mean_average_precision
from . import distribution
from .build import make_loss
from .recipe import TrainingRecipe


def make_validation(
    model: keras.Model,
    sources: Sequence[Clip | Record],
    recipe: TrainingRecipe,
    *,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    stop: threading.Event,
) -> Callable[[], dict[str, float]]:
    """Makes a function that evaluates a model on one central view of each clip.

    Args:
        model: the model, built in the strategy's scope.
        sources: all clips of the split, the same on all workers; each takes its share.
        recipe: its loss, and how clips are read; a view has `num_frames` of its clips.
        batch_size: views per batch, on one device of each worker.
        strategy: the strategy that the model is trained under.
        stop: set to interrupt the validation.

    Returns:
        Function without arguments that returns `val_loss`, the mean loss without
        smoothing and weights, and `val_top1` or, of a sigmoid, `val_map`, the mean
        average precision over the classes that are present: of the views or, of dense
        logits, of the frames in the middle of their places; 0 if no class is present.
        Both are over the clips that can be read, in [0, 1]. All workers call it and
        get the same numbers. It raises ValueError if no loss is finite, and
        KeyboardInterrupt if `stop` is set.

    Raises:
        ValueError: no clips, clips without labels, or sizes that do not fit.
    """
    number, workers = distribution.worker(strategy)
    replicas = strategy.num_replicas_in_sync // workers
    num_classes = model.output.shape[-1]
    clips = recipe.clips_with_targets(num_classes)
    check_labels(sources, clips)
    shares = [list(sources)[n::workers] for n in range(workers)]
    dataset = None
    if shares[number]:
        dataset = pipeline.for_evaluation(
            shares[number], clips, batch_size=batch_size, views=(1, 1)
        )
        if clips.targets is None:
            dataset = dataset.map(lambda x, label: (x, check_range(label, num_classes)))
        judge = _one_label if clips.targets is None else _several_labels
        # One trace for all batches, also for the last one, which may be smaller.
        measure = tf.function(
            judge(model, recipe),
            input_signature=dataset.element_spec,
            autograph=False,
            jit_compile=False,
        )

    @tf.function
    def add_up(values):
        return strategy.reduce("SUM", strategy.run(tf.identity, args=(values,)), None)

    def everywhere(values):
        return values if workers == 1 else add_up(values) / replicas

    def validate():
        sums, judged = tf.zeros(3), []
        for clip, label in dataset or ():
            found, views = measure(clip, label)
            sums += found
            judged.append(views)
            if stop.is_set() and workers == 1:
                raise KeyboardInterrupt
        loss, hits, count = (float(x) for x in everywhere(sums))
        if not count or not math.isfinite(loss):
            raise ValueError(
                f"the validation loss of {count:.0f} clips is "
                f"{loss / count if count else 'none'}; the steps so far are saved"
            )
        if clips.targets is None:
            return {"val_loss": loss / count, "val_top1": hits / count}
        # Places of all workers' clips, in which each fills in those of its own.
        shape = (workers, len(shares[0]), len(_moments(recipe)), 3, num_classes)
        places = np.zeros(shape, np.float32)
        own = np.concatenate(judged) if judged else places[0, :0]
        places[number, : len(own)] = own
        places = np.asarray(everywhere(tf.constant(places)))
        return {"val_loss": loss / count, "val_map": _mean_precision(places)}

    return validate


def _one_label(model, recipe):
    """Function that measures a batch: sums of losses, hits and clips; and nothing."""
    del recipe

    def measure(clip, label):
        logits = last_step(model(clip, training=False))
        logits = tf.cast(logits, tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        hits = tf.argmax(logits, -1, label.dtype) == label
        sums = [tf.reduce_sum(losses), tf.reduce_sum(tf.cast(hits, tf.float32))]
        return tf.stack([*sums, tf.cast(tf.size(label), tf.float32)]), ()

    return measure


def _several_labels(model, recipe):
    """Function that measures a batch: sums of losses, 0 and clips; and its judgement.

    That is 1, for a clip that could be read, and logits and targets of each class:
    `(batch, moments, 3, classes)`, as of `_moments`.
    """
    loss, moments = make_loss(recipe), _moments(recipe)

    def measure(clip, targets):
        logits = tf.cast(model(clip, training=False), tf.float32)
        count = tf.cast(tf.shape(targets)[0], tf.float32)
        sums = tf.stack([loss(targets, logits) * count, 0.0, count])
        if recipe.temporal == "dense":
            logits = upsample_dense(logits, moments)
            targets = tf.gather(targets, moments, axis=1)
        else:
            logits, targets = last_step(logits)[:, None], targets[:, None]
        return sums, tf.stack([tf.ones_like(logits), logits, targets], axis=2)

    return measure


def _moments(recipe):
    """Frames that are judged: those in the middle of places, or one for the view."""
    if recipe.temporal == "mean":
        return np.zeros(1, int)
    return place_frames(count_places(recipe.clip.num_frames)).astype(int)


def _mean_precision(judged):
    """Mean average precision over the classes that are present; 0 if none is."""
    rows = judged.reshape(-1, *judged.shape[-2:])
    rows = rows[rows[:, 0, 0] > 0]
    precision = average_precision(rows[:, 1], rows[:, 2] > 0)
    mean = mean_average_precision(precision)
    return 0.0 if np.isnan(mean) else mean
