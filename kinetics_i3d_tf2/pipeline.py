"""tf.data pipelines that `model.fit` and `model.evaluate` take as they are.

Clips are decoded by Python functions whose work is done outside the interpreter lock
(FFmpeg, OpenCV), side by side. A function is known to TensorFlow by a name, not by its
address in one process, so that tf.data service's workers can call it too.
"""

import collections
import functools
import json
import threading
import uuid
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging
from tensorflow.python.ops import script_ops

from . import samples
from .architecture import MIN_FRAMES
from .recipes import ClipRecipe
from .tables import NO_LABEL, Clip
from .tfrecord import Record

# Clips that are tried in the place of one that cannot be read.
_CANDIDATES = 32


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
    """Endless batches of random clips, shuffled anew in every epoch.

    What batch k holds follows from `seed` and k alone, so training goes on at any step
    as if it had never stopped. A clip that cannot be read is replaced by another,
    counted and named in the log.

    Args:
        sources: a `tables.Table`, or records of `tfrecord.find_records`.
        recipe: what is done to the clips.
        batch_size: clips a step, of all workers together.
        seed: what everything random follows from.
        start_step: the step to begin with.
        shard: this worker's number and the number of workers; each gets its share of
            every batch.
        data_service: address of a tf.data service dispatcher (`grpc://host:port`) whose
            workers do the work. They share out the clips: each comes once an epoch, but
            in no fixed order.

    Returns:
        Dataset of (clip, label): clip is float32 `(batch, frames, size, size,
        channels)` in [-1, 1], for joint a dict of "rgb" and "flow"; label int64
        `(batch,)`. It has no end: give `model.fit` its `steps_per_epoch`.

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
    _check_labels(sources)
    rows, config = _rows(sources), _config(sources, recipe)
    size, local = len(sources), batch_size // workers
    fixed_seed = tf.constant(seed, tf.int64)

    def draw(count):
        """Candidates for the place of a clip in the endless sequence of clips."""
        place = count // local * batch_size + number * local + count % local
        epoch, index = place // size, place % size
        attempts = tf.range(_CANDIDATES, dtype=tf.int64)
        # The function around this operation fails when it is called with many seeds.
        chosen = tf.raw_ops.RandomIndexShuffle(
            index=tf.fill([_CANDIDATES], index),
            seed=tf.stack(
                [tf.fill([_CANDIDATES], x) for x in (fixed_seed, epoch)] + [attempts],
                axis=1,
            ),
            max_index=tf.constant(size - 1, tf.int64),
            rounds=4,
        )
        return tf.gather(rows, chosen), tf.stack([fixed_seed, place])

    shape = (recipe.num_frames, recipe.crop_size, recipe.crop_size)
    last = tf.int64.max // batch_size
    dataset = tf.data.Dataset.range(start_step * local, last).map(draw)
    dataset = dataset.map(
        lambda *drawn: _call(_TRAINING, config, drawn, shape),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    dataset = dataset.batch(local, drop_remainder=True)
    if data_service:
        dataset = dataset.apply(
            tf.data.experimental.service.distribute(
                tf.data.experimental.service.ShardingPolicy.DYNAMIC, data_service
            )
        )
    dataset = dataset.apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )
    return _finish(dataset)


def for_evaluation(
    sources: Sequence[Clip | Record],
    recipe: ClipRecipe,
    *,
    batch_size: int = 1,
    views: tuple[int, int] | None = None,
) -> tf.data.Dataset:
    """Every clip once, in order: whole, or as views.

    A clip that cannot be read is left out, counted and named in the log.

    Args:
        sources: a `tables.Table`, or records of `tfrecord.find_records`.
        recipe: what is done to the clips.
        batch_size: clips, or views, in a batch; whole clips differ in length and come
            one by one.
        views: temporal clips and spatial crops, (1, 1) or (10, 3), of
            `recipe.num_frames` frames each: clips evenly from the first frame to the
            last (one: from the middle), crops along the long side (one: the centre),
            crops of a clip one after another. By default one view of all frames and
            the central crop.

    Returns:
        Dataset of (clip, label) as `for_training`'s; a clip without a label has -1.
        Its length is not known before its end, as clips may be left out.

    Raises:
        ValueError: no clips, or sizes that do not fit.
        tf.errors.InvalidArgumentError: while reading, more than `recipe.max_damaged` of
            the clips cannot be read.
    """
    if views is None and batch_size != 1:
        raise ValueError(
            "Whole clips differ in length: batch_size must be 1, or ask for views. "
            f"Received: batch_size={batch_size}"
        )
    if views is not None and (len(views) != 2 or min(views) < 1):
        raise ValueError(
            f"views are (temporal clips, spatial crops). Received: {views!r}"
        )
    rows, config = _rows(sources), _config(sources, recipe)
    dataset = tf.data.Dataset.from_tensor_slices(rows).map(
        lambda row: _call(_EVALUATION, config, (row,), (None, None, None)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    first = recipe.streams[0]
    dataset = dataset.filter(lambda clip, _: tf.size(clip[first]) > 0)
    cut = functools.partial(_cut, recipe=recipe, views=views)
    count = 1 if views is None else views[0] * views[1]
    dataset = dataset.flat_map(
        lambda clip, label: tf.data.Dataset.range(count).map(
            lambda view: (cut(clip, view), label)
        )
    )
    return _finish(dataset.batch(batch_size))


def _cut(clip, view, recipe, views):
    """One view of a whole clip."""
    last = recipe.streams[-1]
    available = tf.shape(clip[last])[0]
    if views is None:
        # Joint: RGB has one frame more, and all are used.
        first, size = 0, recipe.crop_size
        lengths = {n: tf.maximum(tf.shape(c)[0], MIN_FRAMES) for n, c in clip.items()}
        share = 0.5
    else:
        clips, crops = views
        size = recipe.crop_size
        lengths = dict.fromkeys(clip, recipe.num_frames)
        late = tf.cast(tf.maximum(available - recipe.num_frames, 0), tf.float64)
        first = tf.cast(_share(view // crops, clips) * late, tf.int32)
        share = _share(view % crops, crops)
    return {
        name: _crop(
            tf.gather(c, (first + tf.range(lengths[name])) % tf.shape(c)[0]),
            size,
            share,
        )
        for name, c in clip.items()
    }


def _share(number, count):
    """Place of one of `count` things that are spread evenly over 0 to 1."""
    if count == 1:
        return tf.constant(0.5, tf.float64)
    return tf.cast(number, tf.float64) / (count - 1)


def _crop(clip, size, share):
    """A square at a share of the way along the long side, centred in the short."""
    height, width = tf.shape(clip)[1], tf.shape(clip)[2]

    def start(length, other):
        middle = (length - size) // 2
        along = tf.cast(tf.cast(length - size, tf.float64) * share, tf.int32)
        return tf.where(length > other, along, middle)

    top, left = start(height, width), start(width, height)
    clip = clip[:, top : top + size, left : left + size]
    return tf.ensure_shape(clip, (None, size, size, clip.shape[-1]))


def _finish(dataset):
    """Batches as a model takes them; pixels stay small until here."""

    def finish(clip, label):
        for name, stream in clip.items():
            if stream.dtype == tf.uint8:
                # x / 127.5 - 1 in one pass over the memory: five times faster than a
                # cast, a division and a subtraction.
                pixels = tf.bitcast(stream, tf.quint8)
                clip[name] = tf.quantization.dequantize(pixels, -1.0, 1.0)
        return (clip if len(clip) > 1 else next(iter(clip.values()))), label

    # Workers of a strategy get their share by `shard`, not by TensorFlow's guess.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    dataset = dataset.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)


def _check_labels(sources):
    bad = [s for s in sources if isinstance(s, Clip) and s.index == NO_LABEL]
    if bad:
        raise ValueError(
            f"{len(bad)} clips have no label to be trained on, the first is "
            f"{bad[0].path}"
        )


def _rows(sources):
    if not len(sources):
        raise ValueError("There are no clips in the dataset")
    return tf.constant([samples.pack(source) for source in sources])


def _config(sources, recipe):
    """What the Python functions need to know, as text."""
    kinds = {type(source).__name__ for source in sources}
    if len(kinds) > 1:
        raise ValueError("A dataset is of clips or of records, not of both")
    settings = {
        "pipeline": uuid.uuid4().hex,
        "clips": len(sources),
        "recipe": vars(recipe),
        # As samples gives them.
        "dtypes": {
            name: "float32" if (name, kinds) == ("flow", {"Clip"}) else "uint8"
            for name in recipe.streams
        },
    }
    return json.dumps(settings)


def _call(function, config, arguments, shape):
    """Calls a Python function out of the graph."""
    dtypes = json.loads(config)["dtypes"]
    *streams, label = tf.raw_ops.PyFuncStateless(
        input=[tf.constant(config), *arguments],
        token=function,
        Tout=[*dtypes.values(), tf.int64],
    )
    clip = {
        name: tf.ensure_shape(stream, (*shape, samples.CHANNELS[name]))
        for name, stream in zip(dtypes, streams, strict=True)
    }
    return clip, tf.ensure_shape(label, ())


def _training_sample(config, rows, seeds):
    settings, recipe = _settings(config)
    for row in rows:
        # Equal for all candidates: a sample depends on its place and its clip alone.
        rng = np.random.default_rng(np.asarray(seeds, np.uint64))
        source = samples.unpack(row)
        try:
            streams, label = samples.training_sample(source, recipe, rng)
        except (ValueError, OSError) as error:
            _skip(settings, recipe, source, error)
            continue
        return _outputs(recipe, streams, label)
    raise ValueError(f"{len(rows)} clips in turn cannot be read; the log names them")


def _evaluation_clip(config, row):
    settings, recipe = _settings(config)
    source = samples.unpack(row)
    try:
        streams, label = samples.whole_clip(source, recipe)
    except (ValueError, OSError) as error:
        _skip(settings, recipe, source, error)
        streams = {
            name: np.empty((0, 0, 0, samples.CHANNELS[name]), dtype)
            for name, dtype in settings["dtypes"].items()
        }
        label = NO_LABEL
    return _outputs(recipe, streams, label)


def _settings(config):
    settings = json.loads(config)
    return settings, ClipRecipe(**settings["recipe"])


def _outputs(recipe, streams, label):
    arrays = [np.ascontiguousarray(streams[name]) for name in recipe.streams]
    return [*arrays, np.int64(label)]


# Clips that could not be read, by pipeline, in this process.
_skipped = collections.defaultdict(set)
_skipped_lock = threading.Lock()


def _skip(settings, recipe, source, error):
    """Names a clip that cannot be read in the log, once; raises when they are many."""
    with _skipped_lock:
        skipped = _skipped[settings["pipeline"]]
        if source in skipped:
            return
        skipped.add(source)
        count, total = len(skipped), settings["clips"]
    logging.warning(
        "Skipping a clip (%d of %d so far): %s",
        count,
        total,
        error if str(source.path) in str(error) else f"{source.path}: {error}",
    )
    if count > recipe.max_damaged * total:
        raise ValueError(
            f"{count} of {total} clips cannot be read, more than max_damaged="
            f"{recipe.max_damaged:g}; the last: {source.path}: {error}"
        )


def _register(function):
    """Makes a function known to TensorFlow by a name that is equal in all processes.

    `tf.numpy_function` invents a name that other processes do not know.
    """
    name = f"{__name__}.{function.__name__}"
    script_ops._py_funcs._funcs[name] = function
    return name


_TRAINING = _register(_training_sample)
_EVALUATION = _register(_evaluation_clip)
