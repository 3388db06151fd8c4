"""Training on small real videos: resumed, stopped, validated, refused."""

import dataclasses
import json
import re
import shutil
import sys
import threading

import keras
import numpy as np
import pytest
import record_files
import trainings
from trainings import C3D, CLIP, I3D, largest_difference, rows_of, weights_of

from kinetics_i3d_tf2 import for_evaluation, load_model, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.training import build
from kinetics_i3d_tf2.visualization import plots

# With dropout, live batch norm and a change of the rate. I3D is resumed in
# test_several_labels.py.
RESUMED = dataclasses.replace(C3D, steps=3, rates=((0, 0.01), (2, 0.001)))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return trainings.read_videos(trainings.write_videos(folder, {"train": 8, "val": 3}))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Folder of an uninterrupted run, with a checkpoint at every step."""
    folder = tmp_path_factory.mktemp("whole")
    trainings.run(RESUMED, data, folder, checkpoint_every=1)
    return folder


def state_of(folder):
    return json.loads((folder / "last" / "state.json").read_text())


def initial_weights(recipe, folder):
    """Weights before the first step, which follow from the seed."""
    keras.utils.set_random_seed(0)
    model = build.build_model(recipe, 2, width=trainings.WIDTH)
    save_checkpoint(model, folder / "last" / "model.ckpt")
    return weights_of(folder)


def test_records_without_flow_leave_no_folder(data, tmp_path):
    path = tmp_path / "rgb"
    records = record_files.write_records(path, data.validation, has_flow=False)
    recipe = dataclasses.replace(I3D, clip=dataclasses.replace(CLIP, stream="flow"))
    with pytest.raises(ValueError, match="has no optical flow, nor have the 2 others"):
        trainings.run(recipe, data._replace(validation=records), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_resumed_anywhere_the_weights_are_equal(data, whole, tmp_path):
    """Within an interval, and at its end."""
    data = data._replace(validation=())
    stop = threading.Event()
    stop.set()
    for step in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            trainings.run(RESUMED, data, tmp_path, checkpoint_every=2, stop=stop)
        assert (tmp_path / "last").resolve().name == f"{step:08d}"
    state = trainings.run(RESUMED, data, tmp_path, checkpoint_every=2)
    assert largest_difference(weights_of(whole), weights_of(tmp_path)) == 0
    assert [row["step"] for row in state.history] == [2, 3]
    assert [float(row["learning_rate"]) for row in rows_of(tmp_path)] == [0.01, 0.001]


def test_steps_are_saved_before_their_validation(data, whole, tmp_path):
    """Stopped in the validation, a run does that first when it resumes."""

    class AfterTheStep(threading.Event):
        """Is set while the first validation runs, and not when a step has ended."""

        def is_set(self):
            return sys._getframe(1).f_code.co_name == "validate"

    with pytest.raises(KeyboardInterrupt):
        trainings.run(RESUMED, data, tmp_path, checkpoint_every=1, stop=AfterTheStep())
    state = state_of(tmp_path)
    assert (state["step"], state["history"]) == (1, [])
    assert state["pending"]["step"] == 1
    cut = trainings.run(RESUMED, data, tmp_path, checkpoint_every=1)
    for ours, theirs in zip(cut.history, state_of(whole)["history"], strict=True):
        assert ours | {"clips_per_second": 0} == theirs | {"clips_per_second": 0}


def test_a_run_of_an_older_version_resumes(data, whole, tmp_path):
    """Names in settings.json and state.json have changed since."""
    folder = tmp_path / "run"
    shutil.copytree(whole, folder, symlinks=True)
    for path, names in (
        (
            folder / "settings.json",
            {"gradient_accumulation_steps": "parts", "checkpoint_every": "round_steps"},
        ),
        (
            folder / "last" / "state.json",
            {"lowest_val_loss": "least_loss", "checkpoints_waited": "rounds_waited"},
        ),
    ):
        text = re.sub(r'"flow_epsilon": .*\n', "", path.read_text())
        for new, old in names.items():
            assert f'"{new}"' in text
            text = text.replace(f'"{new}"', f'"{old}"')
        path.write_text(text)
    state = trainings.run(RESUMED, data, folder, checkpoint_every=1)
    assert dataclasses.asdict(state) == state_of(whole)
    with pytest.raises(ValueError, match="was begun with checkpoint_every 1, now 2"):
        trainings.run(RESUMED, data, folder, checkpoint_every=2)


def test_another_seed_gives_other_weights(data, whole, tmp_path):
    trainings.run(RESUMED, data._replace(validation=()), tmp_path, seed=1)
    assert largest_difference(weights_of(whole), weights_of(tmp_path)) > 1e-3


def test_a_loss_that_is_not_finite_stops_the_run(data, tmp_path):
    recipe = dataclasses.replace(C3D, steps=9, rates=((0, 0.01), (2, 1e30)))
    with pytest.raises(ValueError, match="step [34]") as error:
        trainings.run(recipe, data, tmp_path, checkpoint_every=2)
    good = f"last good checkpoint is {tmp_path}/checkpoints/00000002."
    assert good in str(error.value)
    assert all(np.isfinite(value).all() for value in weights_of(tmp_path).values())


def test_the_best_checkpoint_is_kept_and_the_rest_deleted(data, whole):
    rows = state_of(whole)["history"]
    best = max(rows, key=lambda row: (row["val_top1"], -row["val_loss"]))
    kept = {path.name for path in (whole / "checkpoints").iterdir()}
    assert kept == {f"{best['step']:08d}", "00000003"}
    assert (whole / "best").resolve().name == f"{best['step']:08d}"
    model = load_model(whole / "best")  # Strict, past the Momentum slots.
    assert (model.kind, model.num_classes) == ("c3d", 2)
    assert labels.read_label_map(whole / "best" / "label_map.txt") == data.class_names
    assert list((whole / "tensorboard").glob("events.*"))
    assert [float(row["val_loss"]) for row in rows_of(whole)] == [
        row["val_loss"] for row in rows
    ]
    if plots.is_installed():
        assert (whole / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_validation_is_that_of_the_model(data, whole):
    model = load_model(whole / "last")
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    clips = for_evaluation(data.validation, RESUMED.clip, views=(1, 1))
    batches = list(clips.as_numpy_iterator())
    clips, indices = (np.concatenate(x) for x in zip(*batches, strict=True))
    loss, top1 = model.evaluate(clips, indices, verbose=0)
    row = state_of(whole)["history"][-1]
    assert row["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert row["val_top1"] == pytest.approx(top1)


SAMPLINGS = {
    "convnet_lstm": {"num_frames": 9, "rgb_stride": 3},
    "two_stream": {"num_frames": 3, "rgb_stride": 3, "flow_epsilon": 0.1},
    "fused": {"num_frames": 6, "rgb_stride": 2, "flow_epsilon": 0.1},
}


def recipe_of(kind, **changes):
    clip = dataclasses.replace(ClipRecipe.of_model(kind), **SAMPLINGS[kind])
    return dataclasses.replace(I3D, model=kind, clip=clip, **changes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAMPLINGS)
def test_the_papers_other_architectures(data, tmp_path, kind):
    """They train, and resume as if they had never stopped."""
    recipe = recipe_of(kind, batch_norm_momentum=0.5, freeze_until="Mixed_5b")
    if "flow" in recipe.clip.streams:  # Of whole videos it takes long.
        data = data._replace(validation=data.validation.clips[:1])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    copy = trainings.CopyAfterOneStep(whole, cut)
    trainings.run(recipe, data, whole, checkpoint_every=1, stop=copy)
    assert (cut / "last").resolve().name == "00000001"
    assert trainings.run(recipe, data, cut, checkpoint_every=1).step == 2
    assert load_model(cut / "last").kind == kind
    weights = weights_of(cut)
    assert largest_difference(weights_of(whole), weights) == 0
    assert all(np.isfinite(value).all() for value in weights.values())
    assert all(float(row["val_loss"]) > 0 for row in rows_of(cut))


def test_bfloat16_trains_weights_of_float32_above_the_endpoint(data, tmp_path):
    clip = dataclasses.replace(CLIP, num_frames=17)
    recipe = dataclasses.replace(I3D, clip=clip, steps=1, freeze_until="Mixed_5b")
    data = data._replace(validation=())
    trainings.run(recipe, data, tmp_path / "run", dtype="mixed_bfloat16")
    after, before = weights_of(tmp_path / "run"), initial_weights(recipe, tmp_path)
    assert {value.dtype for value in after.values()} == {np.dtype("float32")}
    moved = {
        name.split("/")[2] for name in before if (after[name] != before[name]).any()
    }
    assert moved == {"Mixed_5c", "Logits"}
    assert max(np.abs(after[name] - before[name]).max() for name in before) > 1e-4


def test_a_label_out_of_range(data, tmp_path):
    clips = [clip._replace(index=7) for clip in data.training]
    message = "label 7 is out of range: there are 2 classes"
    with pytest.raises(ValueError, match=message):
        trainings.run(C3D, data._replace(training=clips), tmp_path)


def test_clips_to_validate_on_need_labels(data, tmp_path):
    clips = [clip._replace(index=-1) for clip in data.validation]
    with pytest.raises(ValueError, match="3 clips have no label, the first is"):
        trainings.run(C3D, data._replace(validation=clips), tmp_path)


def test_an_empty_split_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="There are no clips in the dataset"):
        trainings.run(C3D, data._replace(training=()), tmp_path, checkpoint_every=1)


@pytest.mark.parametrize("out", ["", "s3://bucket/run"])
def test_the_folder_is_of_this_machine(data, out):
    with pytest.raises(ValueError, match="must be a folder on this machine"):
        trainings.run(C3D, data, out)


def test_a_checkpoint_of_other_variables_is_refused(data, whole, tmp_path):
    """As when files were exchanged by hand: settings are compared before."""
    folder = tmp_path / "run"
    shutil.copytree(whole, folder, symlinks=True)
    (folder / "settings.json").unlink()
    recipe = dataclasses.replace(RESUMED, steps=4, batch_norm="frozen")
    with pytest.raises(ValueError, match="accumulators of .* variables, and .* are"):
        trainings.run(recipe, data, folder)
