"""Training on replicas and workers, in processes of their own."""

import json
import socket

import keras
import numpy as np
import processes
import pytest
import trainings
from conftest import ROOT
from trainings import largest_difference, rows_of, weights_of

from kinetics_i3d_tf2 import save_checkpoint
from kinetics_i3d_tf2.training.build import new_model

# The others are of C3D, which takes a quarter of the time.
DENSE = {
    "model": "i3d",
    "loss": "sigmoid",
    "temporal": "dense",
    "freeze_until": "Mixed_5b",
    "steps": 2,
    "validates": True,
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return trainings.write_videos(folder, {"train": 8, "val": 3})


@pytest.fixture(scope="module")
def trained(videos, tmp_path_factory):
    """Folders of runs in one process of two logical devices."""
    root = tmp_path_factory.mktemp("trained")
    live = {"batch_norm": "live", "steps": 1}  # Later steps amplify rounding.
    synchronized = {"batch_norm": "synchronized", "steps": 1}
    runs = {
        "one_device": {"strategy": "one_device", "validates": True},
        "two_replicas": {"strategy": "mirrored"},
        "two_microbatches": {
            "strategy": "one_device",
            "gradient_accumulation_steps": 2,
        },
        "live": {"strategy": "mirrored", "dropout_rate": 0.5, **live},
        "synchronized": {"strategy": "mirrored", **synchronized},
        "whole_batch": {"strategy": "one_device", **live},
        "dense": {"strategy": "one_device", **DENSE},
        "dense_replicas": {"strategy": "mirrored", **DENSE},
    }
    arguments = {str(root / name): options for name, options in runs.items()}
    done = processes.run(
        ROOT / "tests/replicas.py", videos, json.dumps(arguments), timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.mark.slow
@pytest.mark.parametrize("other", ["two_replicas", "two_microbatches"])
def test_replicas_and_accumulation_change_nothing(trained, other, tmp_path):
    alone = weights_of(trained / "one_device")
    assert largest_difference(alone, weights_of(trained / other)) < 1e-5
    keras.utils.set_random_seed(0)
    start = new_model("c3d", 2, trainings.C3D.clip, width=trainings.WIDTH)
    save_checkpoint(start, tmp_path / "last" / "model.ckpt")
    initial = weights_of(tmp_path)
    moved = max(np.abs(alone[name] - value).max() for name, value in initial.items())
    assert moved > 1e-3


@pytest.mark.slow
def test_replicas_change_nothing_in_a_dense_training(trained):
    runs = [trained / name for name in ("dense", "dense_replicas")]
    assert largest_difference(*map(weights_of, runs)) < 1e-5
    first, second = (rows_of(run)[-1] for run in runs)
    for name in ("loss", "val_loss", "val_map"):
        assert float(first[name]) == pytest.approx(float(second[name]), abs=1e-5)


@pytest.mark.slow
def test_two_workers_change_nothing(trained, videos, tmp_path):
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{s.getsockname()[1]}" for s in (first, second)]
    folder = tmp_path / "run"
    arguments = json.dumps(
        {str(folder): {"strategy": "multi_worker", "validates": True}}
    )
    workers = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": hosts}, "task": task})
        command = (ROOT / "tests/replicas.py", videos, arguments)
        workers.append(processes.Process(*command, TF_CONFIG=config))
    try:
        for worker in workers:
            assert worker.wait() == 0, worker.stderr[-3000:]
    finally:
        for worker in workers:
            worker.kill()
    alone = trained / "one_device"
    assert largest_difference(weights_of(alone), weights_of(folder)) < 1e-5
    for name in ("loss", "val_loss"):  # Three clips, of two workers.
        values = [float(rows_of(run)[-1][name]) for run in (alone, folder)]
        assert values[0] == pytest.approx(values[1], abs=1e-5)


@pytest.mark.slow
def test_synchronized_batch_norm_sees_the_whole_batch(trained):
    """Its moving averages are those of one replica with all clips; live ones differ."""
    runs = ("whole_batch", "synchronized", "live")
    whole, synchronized, live = (
        {k: v for k, v in weights_of(trained / run).items() if "moving" in k}
        for run in runs
    )
    assert largest_difference(whole, synchronized) < 3e-4
    # The variance within halves of a batch is less than that of all.
    assert largest_difference(whole, live) > 3e-3
    first = "c3d/Conv3d_1a_3x3/batch_norm/moving_mean"
    # The mean of halves' means is that of all: replicas were averaged.
    np.testing.assert_allclose(live[first], whole[first], rtol=0.02)


def test_replicas_drop_different_features():
    """Keras gives all replicas one mask; here it follows from seed, step, replica."""
    code = """
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
import keras
from kinetics_i3d_tf2.training import distribution
from kinetics_i3d_tf2.training.trainer import Trainer
strategy = distribution.create()
with strategy.scope():
    dropout = keras.layers.Dropout(0.5)
    trainer = Trainer(keras.Sequential([keras.Input((64,)), dropout]))
ones = tf.ones((1, 64))
run = tf.function(lambda: strategy.run(lambda: dropout(ones, training=True)))
masks = []
for seed, step in ((0, 0), (0, 1), (0, 0), (1, 0)):
    trainer.seed(seed, step)
    masks.append(tf.stack(strategy.experimental_local_results(run())).numpy())
assert (masks[0][0] != masks[0][1]).any()
assert (masks[0] != masks[1]).any() and (masks[0] != masks[3]).any()
assert (masks[0] == masks[2]).all()
"""
    done = processes.run("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
