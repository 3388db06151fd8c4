"""Training on real small videos: alone, on replicas, on workers, and begun again."""

import csv
import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import InceptionI3d, load_model, save_checkpoint
from kinetics_i3d_tf2.checkpoints.tensor_bundle import BundleReader
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.datasets import read_folder
from kinetics_i3d_tf2.training import build, fit
from kinetics_i3d_tf2.training.callbacks import Logs, Rounds, new_state
from kinetics_i3d_tf2.training.recipe import TrainingRecipe
from kinetics_i3d_tf2.training.run_checkpoints import Snapshots

CLIP = ClipRecipe(num_frames=9, short_side=200, crop_size=200)
RECIPE = TrainingRecipe(clip=CLIP, steps=2, batch_size=2, rates=((0, 0.01),))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for split, count in {"train": 8, "val": 3}.items():
        for number in range(count):
            name = ("bright", "dark")[number % 2]
            path = folder / split / name / f"{number}.mkv"
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = brightness_frames(12, (48, 36), step=7) // (1 + number % 2)
            write_video(path, np.roll(frames, number, 0), codec="ffv1")
    return folder


@pytest.fixture(scope="module")
def data(videos):
    table = read_folder(videos)
    return fit.Data(table.split("train"), table.split("val"), table.class_names)


def train(recipe, data, folder, *, checkpoint_every=2, stop=None, **run):
    run = fit.Run(str(folder), checkpoint_every, **{"width": 1 / 16, **run})
    stop = stop or threading.Event()
    strategy = tf.distribute.get_strategy()
    return fit.train(recipe, data, run, strategy=strategy, stop=stop)


def weights_of(folder):
    reader = BundleReader(folder / "last")
    return {name: reader.read(name) for name, _, _ in reader.entries()}


def largest_difference(first, second):
    assert first.keys() == second.keys()
    return max(np.abs(first[name] - second[name]).max() for name in first)


def rows_of(folder):
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def trained(videos, tmp_path_factory):
    """Folders of trainings in one process of two logical processors."""
    root = tmp_path_factory.mktemp("trained")
    trainings = {
        "one_device": {"strategy": "one_device"},
        "two_replicas": {"strategy": "mirrored"},
        "two_microbatches": {
            "strategy": "one_device",
            "gradient_accumulation_steps": 2,
        },
        "live": {"strategy": "mirrored", "batch_norm": "live", "dropout_rate": 0.5},
        "synchronized": {"strategy": "mirrored", "batch_norm": "synchronized"},
        "whole_batch": {"strategy": "one_device", "batch_norm": "live"},
    }
    # Batch norm of a step is compared: later ones amplify rounding.
    for name in ("live", "synchronized", "whole_batch"):
        trainings[name] |= {"steps": 1, "checkpoint_every": 1}
    arguments = {str(root / name): options for name, options in trainings.items()}
    done = subprocess.run(
        [sys.executable, "tests/replicas.py", videos, json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root


def begin(folder):
    """Weights before the first step, which follow from the seed."""
    keras.utils.set_random_seed(0)
    save_checkpoint(InceptionI3d(2, width=1 / 16), folder / "last" / "model.ckpt")
    return weights_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["two_replicas", "two_microbatches"])
def test_replicas_and_accumulation_change_nothing(trained, other, tmp_path):
    alone = weights_of(trained / "one_device")
    assert largest_difference(alone, weights_of(trained / other)) < 1e-5
    start = begin(tmp_path)
    moved = max(np.abs(alone[name] - value).max() for name, value in start.items())
    assert moved > 1e-3


@pytest.mark.slow
def test_two_workers_change_nothing(trained, videos, tmp_path):
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{s.getsockname()[1]}" for s in (first, second)]
    folder = tmp_path / "run"
    arguments = json.dumps({str(folder): {"strategy": "multi_worker"}})
    workers = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": hosts}, "task": task})
        workers.append(
            subprocess.Popen(
                [sys.executable, "tests/replicas.py", videos, arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": config},
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        for worker in workers:
            _, errors = worker.communicate(timeout=300)
            assert worker.returncode == 0, errors[-3000:]
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
    assert largest_difference(whole, synchronized) < 1e-4
    # The variance within halves of a batch is less than that of all.
    assert largest_difference(whole, live) > 1e-4
    first = "RGB/inception_i3d/Conv3d_1a_7x7/batch_norm/moving_mean"
    # The mean of halves' means is that of all: replicas were averaged.
    np.testing.assert_allclose(live[first], whole[first], rtol=0.02)


def test_begun_again_anywhere_the_weights_are_equal(data, tmp_path):
    """With dropout, live batch norm and a change of the rate."""
    data = data._replace(validation=())
    recipe = dataclasses.replace(RECIPE, steps=4, rates=((0, 0.01), (2, 0.001)))
    train(recipe, data, tmp_path / "whole", checkpoint_every=2)
    stop = threading.Event()
    stop.set()
    for step in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, data, tmp_path / "cut", checkpoint_every=2, stop=stop)
        assert (tmp_path / "cut" / "last").resolve().name == f"{step:08d}"
    state = train(recipe, data, tmp_path / "cut", checkpoint_every=2)
    whole, cut = (weights_of(tmp_path / name) for name in ("whole", "cut"))
    assert largest_difference(whole, cut) == 0
    assert [row["step"] for row in state["history"]] == [2, 4]
    rates = [float(row["learning_rate"]) for row in rows_of(tmp_path / "cut")]
    assert rates == [0.01, 0.001]


def test_a_round_is_saved_before_its_validation(data, tmp_path):
    """Stopped in the validation, a run does that first when it goes on."""
    recipe = dataclasses.replace(RECIPE, steps=2)
    whole = train(recipe, data, tmp_path / "whole", checkpoint_every=1)

    class AfterTheStep(threading.Event):
        """Is set while the first validation runs, and not when a step has ended."""

        def is_set(self):
            return sys._getframe(1).f_code.co_name == "validate"

    with pytest.raises(KeyboardInterrupt):
        train(recipe, data, tmp_path / "cut", checkpoint_every=1, stop=AfterTheStep())
    state = json.loads((tmp_path / "cut" / "last" / "state.json").read_text())
    assert (state["step"], state["history"]) == (1, [])
    assert state["pending"]["step"] == 1
    cut = train(recipe, data, tmp_path / "cut", checkpoint_every=1)
    for ours, theirs in zip(cut["history"], whole["history"], strict=True):
        assert ours | {"clips_per_second": 0} == theirs | {"clips_per_second": 0}


def test_another_seed_gives_other_weights(data, tmp_path):
    for seed in (0, 1):
        train(RECIPE, data, tmp_path / str(seed), seed=seed)
    weights = [weights_of(tmp_path / str(seed)) for seed in (0, 1)]
    assert largest_difference(*weights) > 1e-3


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
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_loss_that_is_not_finite_stops_the_run(data, tmp_path):
    recipe = dataclasses.replace(RECIPE, steps=9, rates=((0, 0.01), (2, 1e30)))
    with pytest.raises(ValueError) as error:
        train(recipe, data, tmp_path)
    assert "step 4" in str(error.value) or "step 3" in str(error.value)
    assert f"last good checkpoint is {tmp_path}/checkpoints/00000002." in str(
        error.value
    )
    assert all(np.isfinite(value).all() for value in weights_of(tmp_path).values())


def test_the_best_checkpoint_is_kept_and_the_rest_deleted(data, tmp_path):
    state = train(
        dataclasses.replace(RECIPE, steps=4), data, tmp_path, checkpoint_every=1
    )
    rows = state["history"]
    best = max(rows, key=lambda row: (row["val_top1"], -row["val_loss"]))
    kept = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert kept == {f"{best['step']:08d}", "00000004"}
    assert (tmp_path / "best").resolve().name == f"{best['step']:08d}"
    model = load_model(tmp_path / "best")  # Strict, past the Momentum slots.
    assert model.num_classes == 2
    assert (
        labels.read_label_map(tmp_path / "best" / "label_map.txt") == data.class_names
    )
    assert list((tmp_path / "tensorboard").glob("events.*"))
    assert [float(row["val_loss"]) for row in rows_of(tmp_path)] == [
        row["val_loss"] for row in rows
    ]


def test_validation_is_that_of_the_model(data, tmp_path):
    state = train(RECIPE, data, tmp_path)
    model = load_model(tmp_path / "last")
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    from kinetics_i3d_tf2 import for_evaluation

    clips = for_evaluation(data.validation, CLIP, views=(1, 1))
    batches = list(clips.as_numpy_iterator())
    clips, indices = (np.concatenate(x) for x in zip(*batches, strict=True))
    loss, top1 = model.evaluate(clips, indices, verbose=0)
    row = state["history"][-1]
    assert row["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert row["val_top1"] == pytest.approx(top1)


def test_a_tenth_of_the_rate_when_the_validation_loss_stops_falling():
    losses = [1.0, 0.9, 0.95, 0.92, 0.8, 0.85, 0.81, 0.82]
    recipe = dataclasses.replace(RECIPE, plateau=2)
    state = new_state()
    rounds = Rounds(
        recipe, 1, state, snapshots=None, logs=None, validate=None, stop=None
    )
    scales = []
    for step, loss in enumerate(losses):
        rounds._judge({"step": step, "val_loss": loss, "val_top1": 0.5})
        scales.append(state["rate_scale"])
    assert scales == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])
    assert state["best"]["step"] == 4


SAMPLINGS = {
    "convnet_lstm": {"num_frames": 9, "rgb_stride": 3},
    "c3d": {},
    "two_stream": {"num_frames": 3, "rgb_stride": 3},
    "fused": {"num_frames": 6, "rgb_stride": 2},
}


def recipe_of(kind, **changes):
    clip = dataclasses.replace(ClipRecipe.of_model(kind), **SAMPLINGS[kind])
    return dataclasses.replace(RECIPE, model=kind, clip=clip, **changes)


@pytest.mark.parametrize("kind", SAMPLINGS)
def test_the_papers_other_architectures(data, tmp_path, kind):
    recipe = recipe_of(kind)
    if "flow" in recipe.clip.streams:  # Of whole videos it takes long.
        data = data._replace(validation=())
    assert train(recipe, data, tmp_path)["step"] == 2
    (row,) = rows_of(tmp_path)
    assert ("val_loss" in row) == bool(data.validation)
    assert load_model(tmp_path / "last").kind == kind
    assert all(np.isfinite(value).all() for value in weights_of(tmp_path).values())


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAMPLINGS)
def test_they_go_on_as_if_never_stopped(data, tmp_path, kind):
    recipe = recipe_of(kind, batch_norm_momentum=0.5)
    data = data._replace(validation=())
    train(recipe, data, tmp_path / "whole", checkpoint_every=1)
    half = dataclasses.replace(recipe, steps=1)
    for part in (half, recipe):
        train(part, data, tmp_path / "parts", checkpoint_every=1)
    whole, parts = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert largest_difference(whole, parts) == 0


def test_nothing_below_the_endpoint_is_trained(data, tmp_path):
    recipe = dataclasses.replace(RECIPE, freeze_until="Mixed_5b")
    train(recipe, data, tmp_path / "run")
    after, before = weights_of(tmp_path / "run"), begin(tmp_path)
    moved = {
        name.split("/")[2] for name in before if (after[name] != before[name]).any()
    }
    assert moved == {"Mixed_5c", "Logits"}


@pytest.mark.parametrize("batch_size, count", [(3, 2), (1, 2)])
def test_a_batch_that_cannot_be_cut_is_refused(data, tmp_path, batch_size, count):
    recipe = dataclasses.replace(RECIPE, batch_size=batch_size)
    with pytest.raises(
        ValueError,
        match=r"multiple of 2 \(replicas times gradient accumulation steps\)",
    ):
        train(recipe, data, tmp_path, gradient_accumulation_steps=count)


def test_a_label_out_of_range(data, tmp_path):
    clips = [clip._replace(index=7) for clip in data.training]
    message = "label 7 is out of range: there are 2 classes"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        train(RECIPE, data._replace(training=clips), tmp_path)


def test_clips_to_validate_on_need_labels(data, tmp_path):
    clips = [clip._replace(index=-1) for clip in data.validation]
    with pytest.raises(ValueError, match="3 clips have no label, the first is"):
        train(RECIPE, data._replace(validation=clips), tmp_path)


def test_an_empty_split_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="There are no clips in the dataset"):
        train(RECIPE, data._replace(training=()), tmp_path)


def test_a_plateau_needs_a_validation(data, tmp_path):
    recipe = dataclasses.replace(RECIPE, plateau=2)
    with pytest.raises(ValueError, match="there is no split to validate on"):
        train(recipe, data._replace(validation=()), tmp_path)


def test_bfloat16_trains_weights_of_float32(data, tmp_path):
    few = dataclasses.replace(CLIP, num_frames=16)
    with pytest.raises(ValueError, match="clips need more than 16 frames"):
        recipe = dataclasses.replace(RECIPE, clip=few)
        train(recipe, data, tmp_path, dtype="mixed_bfloat16")
    recipe = dataclasses.replace(RECIPE, clip=dataclasses.replace(CLIP, num_frames=17))
    train(recipe, data, tmp_path / "run", dtype="mixed_bfloat16")
    weights, start = weights_of(tmp_path / "run"), begin(tmp_path)
    assert {value.dtype for value in weights.values()} == {np.dtype("float32")}
    assert max(np.abs(weights[name] - start[name]).max() for name in start) > 1e-4


def test_the_loss_scale_of_float16_is_saved(data, tmp_path):
    """Without a step: TensorFlow has no float16 max pooling on CPU."""
    run = fit.Run(str(tmp_path), 1, width=1 / 16, dtype="mixed_float16")
    state = new_state() | {"step": 3}
    snapshots = Snapshots(tmp_path, data.class_names)
    trainer = fit.make_trainer(
        build.build_model(RECIPE, 2, width=1 / 16, dtype=run.dtype), RECIPE, run
    )
    trainer.optimizer.dynamic_scale.assign(512.0)
    rounds = Rounds(
        RECIPE,
        1,
        state,
        snapshots=snapshots,
        logs=Logs(tmp_path, []),
        validate=None,
        stop=threading.Event(),
    )
    rounds.set_model(trainer)
    rounds._save()
    assert json.loads((tmp_path / "last" / "state.json").read_text())["loss_scale"] == [
        0,
        512,
    ]
    inner = trainer.optimizer.inner_optimizer
    assert snapshots.restore(trainer.model, inner)["step"] == 3


def test_a_checkpoint_of_other_variables_is_refused(data, tmp_path):
    """As when files were exchanged by hand: settings are compared before."""
    train(RECIPE, data, tmp_path)
    recipe = dataclasses.replace(RECIPE, steps=4, batch_norm="frozen")
    with pytest.raises(ValueError, match="accumulators of 116 variables, and 59 are"):
        train(recipe, data, tmp_path)


def test_a_snapshot_that_cannot_be_written_leaves_the_others(data, tmp_path):
    train(RECIPE, data, tmp_path)
    snapshots = Snapshots(tmp_path, data.class_names)
    model = InceptionI3d(2, width=1 / 16)
    optimizer = fit.make_trainer(model, RECIPE, fit.Run("", 1)).optimizer
    before = weights_of(tmp_path)
    with pytest.raises(TypeError):
        snapshots.save(model, optimizer, {"step": 9, "no": object()})
    assert snapshots.newest().name == "00000002"
    assert largest_difference(before, weights_of(tmp_path)) == 0
    snapshots.clear_unfinished()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["00000002"]
