"""Options of a run, and what does not go together."""

import dataclasses
import json

import pytest
from trainings import C3D, CLIP, I3D

from kinetics_i3d_tf2 import TrainingData, TrainingOptions
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.training import options

CLIPS = (Clip("a.mp4", "a", 0), Clip("b.mp4", "b", 1))
DATA = TrainingData(CLIPS, CLIPS[:1], ("a", "b"))
SHORT = dataclasses.replace(CLIP, num_frames=16)


def check(recipe, data=DATA, *, replicas=1, **changes):
    options.check(recipe, data, TrainingOptions(**changes), replicas)


@pytest.mark.parametrize(
    "batch_size, replicas, count", [(3, 1, 2), (1, 1, 2), (6, 2, 2)]
)
def test_a_batch_that_cannot_be_divided(batch_size, replicas, count):
    recipe = dataclasses.replace(I3D, batch_size=batch_size)
    message = rf"multiple of {replicas * count} \(replicas times gradient accumulation"
    with pytest.raises(ValueError, match=message):
        check(recipe, replicas=replicas, gradient_accumulation_steps=count)


def test_a_plateau_needs_a_validation():
    recipe = dataclasses.replace(I3D, plateau=2)
    check(recipe)
    with pytest.raises(ValueError, match="there is no validation split"):
        check(recipe, DATA._replace(validation=()))


@pytest.mark.parametrize(
    "recipe, message",
    [
        (C3D, "on a CPU, gradients of c3d are not finite"),
        (dataclasses.replace(I3D, clip=SHORT), "clips need more than 16 frames"),
    ],
    ids=["c3d", "short"],
)
def test_bfloat16_on_kernels_of_two_frames(recipe, message):
    with pytest.raises(ValueError, match=message):
        check(recipe, dtype="mixed_bfloat16")


def test_float16_on_several_devices():
    check(I3D, dtype="mixed_float16")
    with pytest.raises(ValueError, match="mixed_float16 needs a single device"):
        check(I3D, replicas=2, dtype="mixed_float16")


@pytest.mark.parametrize(
    "steps, clips, expected",
    [(1000, 64, 32), (1000, 4, 10), (115_000, 240_000, 1000), (2, 1, 1)],
)
def test_a_checkpoint_each_epoch_by_default(steps, clips, expected):
    recipe = dataclasses.replace(I3D, steps=steps)
    assert TrainingOptions().steps_between_checkpoints(recipe, clips) == expected
    chosen = TrainingOptions(checkpoint_every=7)
    assert chosen.steps_between_checkpoints(recipe, clips) == 7


def test_settings_are_all_that_weights_depend_on():
    settings = options.settings(I3D, DATA, TrainingOptions(seed=3))
    assert settings["rates"] == [[0, 0.01]]
    assert settings["classes"] == ["a", "b"]
    assert settings["training"].startswith("2 clips ")
    assert (settings["seed"], settings["checkpoint_every"]) == (3, 1)
    assert settings.keys() >= {field.name for field in dataclasses.fields(I3D)}
    # Where clips are read, and which engine computes their flow, changes nothing.
    assert "data_service" not in settings
    assert "flow_engine" not in settings["clip"]


def test_settings_of_older_versions():
    today = options.settings(I3D, DATA, TrainingOptions())
    older = json.loads(json.dumps(today))
    del older["clip"]["flow_epsilon"]
    older["parts"] = older.pop("gradient_accumulation_steps")
    older["round_steps"] = older.pop("checkpoint_every")
    assert options.upgrade(older) == options.upgrade(today) == today


@pytest.mark.parametrize("name", ["a\nb", "", "caf\udce9"], ids=ascii)
def test_classes_that_no_label_map_can_name(name):
    """The first checkpoint would fail, after an epoch."""
    with pytest.raises(ValueError, match="class_names: class "):
        check(I3D, DATA._replace(class_names=("a", name)))
