"""Strategies of tf.distribute, from one device to many machines, and their batches."""

import json
import os
import zlib

import tensorflow as tf

from ..data.tf_data import pipeline
from ..data.tf_data.label_checks import check_range
from .options import TrainingData, TrainingOptions
from .recipe import TrainingRecipe

STRATEGIES = ("mirrored", "multi_worker", "one_device")


def create(name: str = "mirrored") -> tf.distribute.Strategy:
    """Creates a strategy; call it before any other TensorFlow operation.

    Args:
        name: "mirrored": all GPUs of this machine, or its CPU; "multi_worker": those of
            all machines that the environment variable TF_CONFIG lists, after waiting
            for all of them; "one_device": the first GPU, or the CPU.

    Returns:
        The strategy.

    Raises:
        OSError: the address of this machine in TF_CONFIG cannot be served.
        ValueError: there is no such strategy, or TF_CONFIG is malformed.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        _check_tf_config()
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise OSError(f"TF_CONFIG: cannot be served: {error.message}") from error
    if name != "mirrored":
        raise ValueError(
            f"strategy must be one of {', '.join(STRATEGIES)}. Received: {name!r}"
        )
    devices = tf.config.list_logical_devices("GPU")
    devices = devices or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def worker(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """Number of this process and number of processes; number 0 writes the files."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return 0, 1
    cluster = resolver.cluster_spec().as_dict()
    chiefs, workers = len(cluster.get("chief", ())), len(cluster.get("worker", ()))
    is_worker = resolver.task_type == "worker"
    return resolver.task_id + chiefs * is_worker, chiefs + workers


def check_equal(strategy: tf.distribute.Strategy, text: str) -> None:
    """Checks that all workers are about to do the same.

    Args:
        strategy: the strategy.
        text: describes what this worker does.

    Raises:
        ValueError: the texts of the workers differ; raised on all of them.
    """
    number, workers = worker(strategy)
    if workers == 1:
        return
    # float32 represents integers of 24 bits exactly.
    own = tf.one_hot(number, workers) * (zlib.crc32(text.encode()) % 2**24)
    sums = tf.function(
        lambda x: strategy.reduce("SUM", strategy.run(tf.identity, args=(x,)), None)
    )(own)
    codes = sums.numpy() * workers / strategy.num_replicas_in_sync
    if len(set(codes.tolist())) > 1:
        raise ValueError(
            "The workers were started differently: all need the same flags, lists and "
            "videos, and must see the same output folder"
        )


def batches(
    recipe: TrainingRecipe,
    data: TrainingData,
    options: TrainingOptions,
    step: int,
    strategy: tf.distribute.Strategy,
) -> tf.distribute.DistributedDataset:
    """Makes the batches of a run, from a step on.

    Args:
        recipe: the recipe.
        data: the clips.
        options: the options.
        step: number of steps done.
        strategy: the strategy.

    Returns:
        Endless dataset with an element per replica and step.

    Raises:
        ValueError: no clips, clips without labels, or sizes that do not fit.
    """
    num_classes = len(data.class_names)
    clips = recipe.clips_with_targets(num_classes)

    def of_worker(context):
        workers = context.num_input_pipelines
        dataset = pipeline.for_training(
            data.training,
            clips,
            batch_size=recipe.batch_size,
            seed=options.seed,
            start_step=step,
            shard=(context.input_pipeline_id, workers),
            data_service=options.data_service,
        )
        if clips.targets is None:
            dataset = dataset.map(
                lambda clip, label: (clip, check_range(label, num_classes))
            )
        if strategy.num_replicas_in_sync == workers:
            return dataset
        size = recipe.batch_size // strategy.num_replicas_in_sync
        return dataset.rebatch(size).prefetch(2)

    return strategy.distribute_datasets_from_function(of_worker)


def _check_tf_config():
    expected = (
        'as {"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": '
        '"worker", "index": 0}}, with the index of the machine'
    )
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise ValueError(
            "multi_worker reads the machines from the environment variable TF_CONFIG, "
            f"{expected}; it is not set"
        )
    try:
        config = json.loads(text)
        task = config["task"]
        config["cluster"][task["type"]][int(task["index"])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"TF_CONFIG is not {expected}. Received: {text}") from error
