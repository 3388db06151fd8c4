"""Loss and accuracy on a validation split, divided among the workers."""

import math
import threading
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..data.tf_data import pipeline
from ..models.losses import last_step
from . import distribution


def make_validation(
    model: keras.Model,
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    *,
    batch_size: int,
    strategy: tf.distribute.Strategy,
    stop: threading.Event,
) -> Callable[[], dict[str, float]]:
    """Makes a function that evaluates a model on one central view of each clip.

    Args:
        model: the model, built in the strategy's scope.
        sources: all clips of the split, the same on all workers; each takes its share.
        recipe: how clips are read; a view has `recipe.num_frames`.
        batch_size: views per batch, on one device of each worker.
        strategy: the strategy that the model is trained under.
        stop: set to interrupt the validation.

    Returns:
        Function without arguments that returns `val_loss` (mean cross-entropy) and
        `val_top1` (in [0, 1]) over the clips that can be read. All workers call it and
        get the same numbers. It raises ValueError if no loss is finite, and
        KeyboardInterrupt if `stop` is set.

    Raises:
        ValueError: no clips, clips without labels, or sizes that do not fit.
    """
    number, workers = distribution.worker(strategy)
    replicas = strategy.num_replicas_in_sync // workers
    pipeline.check_labels(sources)
    share = list(sources)[number::workers]
    num_classes = model.output.shape[-1]
    dataset = None
    if share:
        dataset = pipeline.for_evaluation(
            share, recipe, batch_size=batch_size, views=(1, 1)
        ).map(lambda clip, label: (clip, pipeline.check_range(label, num_classes)))

    @tf.function(jit_compile=False, reduce_retracing=True)
    def measure(clip, label):
        logits = last_step(model(clip, training=False))
        logits = tf.cast(logits, tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        hits = tf.argmax(logits, -1, label.dtype) == label
        sums = [tf.reduce_sum(losses), tf.reduce_sum(tf.cast(hits, tf.float32))]
        return tf.stack([*sums, tf.cast(tf.size(label), tf.float32)])

    @tf.function
    def add_up(sums):
        return strategy.reduce("SUM", strategy.run(tf.identity, args=(sums,)), None)

    def validate():
        sums = tf.zeros(3)
        for clip, label in dataset or ():
            sums += measure(clip, label)
            if stop.is_set() and workers == 1:
                raise KeyboardInterrupt
        if workers > 1:
            sums = add_up(sums) / replicas
        loss, hits, count = (float(x) for x in sums)
        if not count or not math.isfinite(loss):
            raise ValueError(
                f"the validation loss of {count:.0f} clips is "
                f"{loss / count if count else 'none'}; the steps so far are saved"
            )
        return {"val_loss": loss / count, "val_top1": hits / count}

    return validate
