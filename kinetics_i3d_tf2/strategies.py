"""Strategies of tf.distribute: one device, all GPUs of a machine, or many machines."""

import json
import os

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
