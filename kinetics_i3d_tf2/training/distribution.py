"""Strategies of tf.distribute: one device, all GPUs of a machine, or many machines."""

import json
import os
import zlib

import tensorflow as tf

STRATEGIES = ("mirrored", "multi_worker", "one_device")


def create(name: str = "mirrored") -> tf.distribute.Strategy:
    """Makes a strategy; the first thing that a program does with TensorFlow.

    Args:
        name: "mirrored" is all GPUs of this machine, or its processor; "multi_worker"
            those of all machines that the environment variable TF_CONFIG lists, and
            waits for them all; "one_device" is the first GPU or the processor.

    Returns:
        The strategy.

    Raises:
        ValueError: there is no such strategy, or TF_CONFIG is not as it must be.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        _check_tf_config()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name != "mirrored":
        raise ValueError(
            f"strategy is one of {', '.join(STRATEGIES)}. Received: {name!r}"
        )
    devices = tf.config.list_logical_devices("GPU")
    devices = devices or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def worker(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """Number of this process and of all; number 0 writes files and tells the user."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return 0, 1
    cluster = resolver.cluster_spec().as_dict()
    chiefs, workers = len(cluster.get("chief", ())), len(cluster.get("worker", ()))
    is_worker = resolver.task_type == "worker"
    return resolver.task_id + chiefs * is_worker, chiefs + workers


def check_equal(strategy: tf.distribute.Strategy, text: str) -> None:
    """Compares what all workers are about to do.

    Args:
        strategy: the strategy.
        text: says it; equal on all workers.

    Raises:
        ValueError: it is not; on all of them.
    """
    number, workers = worker(strategy)
    if workers == 1:
        return
    # A float32 holds whole numbers of 24 bits.
    own = tf.one_hot(number, workers) * (zlib.crc32(text.encode()) % 2**24)
    sums = tf.function(
        lambda x: strategy.reduce("SUM", strategy.run(tf.identity, args=(x,)), None)
    )(own)
    codes = sums.numpy() * workers / strategy.num_replicas_in_sync
    if len(set(codes.tolist())) > 1:
        raise ValueError(
            "The workers differ in what they are to do: they must be started with the "
            "same flags, on the same lists and videos, and see the same --out"
        )


def _check_tf_config():
    expected = (
        'as {"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": '
        '"worker", "index": 0}}, with the index of the machine'
    )
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise ValueError(
            "multi_worker takes the machines from the environment variable TF_CONFIG, "
            f"{expected}; it is not set"
        )
    try:
        config = json.loads(text)
        task = config["task"]
        config["cluster"][task["type"]][int(task["index"])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"TF_CONFIG is not {expected}. Received: {text}") from error
