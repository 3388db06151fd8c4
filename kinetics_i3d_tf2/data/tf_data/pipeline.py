"""tf.data pipelines for `model.fit` and `model.evaluate`."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ...arguments import suggest_arguments
from ...utils.cores import num_cores
from ..clip_recipe import ClipRecipe
from ..clips import Clip
from ..records.tfrecord import Record
from . import service
from .label_checks import check_labels
from .tf_reader import Loader
from .views import cut, cut_targets, normalize, num_views

# Clips tried instead of one that cannot be read.
_CANDIDATES = 32


@suggest_arguments
def for_training(
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    shard: tuple[int, int] = (0, 1),
    data_service: str | None = None,
) -> tf.data.Dataset:
    """Endless batches of random clips, reshuffled in every epoch.

    Batch k depends on `seed` and k alone, so training can resume at any step. A clip
    that cannot be read is replaced by another, counted and logged.

    Args:
        sources: a `Table` of clips, or records from `find_records`.
        recipe: streams, length, size and augmentation.
        batch_size: clips per step, of all workers together.
        seed: determines everything random.
        start_step: first step.
        shard: this worker's number and the number of workers; each gets its share of
            every batch.
        data_service: address of a tf.data service dispatcher (`grpc://host:port`) whose
            workers read the clips. Each clip comes once per epoch, in no fixed order.

    Returns:
        Dataset of (clip, label): clip is float32 `(batch, frames, size, size,
        channels)` in [-1, 1], for joint a dict of "rgb" and "flow"; label int64
        `(batch,)` or, with `recipe.targets`, float32 `(batch, classes)` or `(batch,
        frames, classes)`. It is endless: pass `steps_per_epoch` to `model.fit`.

    Raises:
        ValueError: no clips, clips without labels, or sizes that do not fit.
        tf.errors.InvalidArgumentError: while reading, more than `recipe.max_damaged` of
            the clips cannot be read.
    """
    number, workers = shard
    if not 0 <= number < workers or batch_size < 1 or batch_size % workers:
        raise ValueError(
            "shard is (number, workers), and batch_size a multiple of workers. "
            f"Received: shard={shard}, batch_size={batch_size}"
        )
    check_labels(sources, recipe)
    loader = Loader(sources, recipe, for_service=data_service is not None)
    local = batch_size // workers
    draw = _make_draw(loader.rows, seed)
    last = tf.int64.max // batch_size
    dataset = tf.data.Dataset.range(start_step * local, last).map(
        lambda n: draw(n // local * batch_size + number * local + n % local)
    )
    dataset = dataset.map(
        loader.training_sample,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    dataset = dataset.batch(local, drop_remainder=True)
    if data_service is not None:
        service.check_dispatcher(data_service)
        dataset = dataset.apply(
            tf.data.experimental.service.distribute(
                tf.data.experimental.service.ShardingPolicy.DYNAMIC, data_service
            )
        )
    dataset = dataset.apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )
    return _finish(dataset)


@suggest_arguments
def for_evaluation(
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    *,
    batch_size: int = 1,
    views: tuple[int, int] | None = None,
) -> tf.data.Dataset:
    """Every clip once, in order: whole, or as views.

    A clip that cannot be read is left out, counted and logged.

    Args:
        sources: a `Table` of clips, or records from `find_records`.
        recipe: streams, length and size.
        batch_size: clips or views per batch; whole clips differ in length, so their
            batch size must be 1.
        views: numbers of temporal clips and spatial crops, such as (1, 1) or (10, 3).
            Clips of `recipe.num_frames` frames are spread evenly from the first frame
            to the last (a single one is in the middle), crops along the long side (a
            single one is in the centre). By default the central crop of all frames: one
            view or, if `recipe.windowed`, consecutive windows.

    Returns:
        Dataset of (clip, label) as from `for_training`; label -1 means no label, and
        targets are those of the view. Its length is unknown until its end, as clips may
        be left out.

    Raises:
        ValueError: no clips, or sizes that do not fit.
        tf.errors.InvalidArgumentError: while reading, more than `recipe.max_damaged` of
            the clips cannot be read.
    """
    if views is None and not recipe.windowed and batch_size != 1:
        raise ValueError(
            "Whole clips differ in length: set batch_size=1, or views. "
            f"Received: batch_size={batch_size}"
        )
    if views is not None and (len(views) != 2 or min(views) < 1):
        raise ValueError(
            f"views are (temporal clips, spatial crops). Received: {views!r}"
        )
    loader = Loader(sources, recipe)
    dataset = tf.data.Dataset.from_tensor_slices(loader.rows).map(
        # A single view is in the middle; long videos need not fit into memory.
        lambda row: loader.whole_clip(row, is_central=views == (1, 1)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    first = recipe.streams[0]
    dataset = dataset.filter(lambda clip, _: tf.size(clip[first]) > 0)
    options = {"recipe": recipe, "views": views}

    def cut_views(clip, label):
        numbers = tf.data.Dataset.range(tf.cast(num_views(clip, **options), tf.int64))
        return numbers.map(
            lambda view: (cut(clip, view, **options), cut_label(clip, label, view))
        )

    def cut_label(clip, label, view):
        if recipe.targets is None:
            return label
        return cut_targets(clip, label, view, **options)

    return _finish(dataset.flat_map(cut_views).batch(batch_size))


def _make_draw(rows, seed):
    """Makes a function from a place in the endless sequence of clips to candidates."""
    size = len(rows)
    # Small numbers such as 0 and 1 are spread over all bits.
    key = np.random.SeedSequence(seed % 2**64).generate_state(2).astype(np.int64)

    def draw(place):
        epoch, index = place // size, place % size
        attempts = tf.range(_CANDIDATES, dtype=tf.int64)
        # The function around this operation fails when it is called with many seeds,
        # and its four rounds leave short sequences nearly as they are.
        chosen = tf.raw_ops.RandomIndexShuffle(
            index=tf.fill([_CANDIDATES], index),
            seed=tf.stack(
                [tf.fill([_CANDIDATES], x) for x in (key[0], epoch)] + [attempts], 1
            ),
            max_index=tf.constant(size - 1, tf.int64),
            rounds=8,
        )
        return tf.gather(rows, chosen), tf.stack([key[0], key[1], place])

    return draw


def _finish(dataset):
    """Normalizes batches, as late as possible: 8-bit pixels take less memory."""

    def finish(clip, label):
        clip = normalize(clip)
        return (clip if len(clip) > 1 else next(iter(clip.values()))), label

    # `shard` gives each worker its share; TensorFlow would guess.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    options.threading.private_threadpool_size = num_cores()
    options.autotune.cpu_budget = num_cores()
    dataset = dataset.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
