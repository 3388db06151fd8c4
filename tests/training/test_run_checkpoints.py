"""Checkpoints of a run on disk."""

import json

import pytest
from trainings import C3D, WIDTH, largest_difference, weights_of

from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.training import build
from kinetics_i3d_tf2.training.run_checkpoints import RunCheckpoints
from kinetics_i3d_tf2.training.state import RunState

CLASSES = ("bright", "dark")


def make(dtype="float32"):
    model = build.build_model(C3D, 2, width=WIDTH, dtype=dtype)
    return build.make_trainer(model, C3D, dtype=dtype)


def test_the_loss_scale_of_float16_is_saved(tmp_path):
    """Without a step: TensorFlow has no float16 max pooling on CPU."""
    trainer = make("mixed_float16")
    trainer.optimizer.dynamic_scale.assign(512.0)
    checkpoints = RunCheckpoints(tmp_path, CLASSES)
    checkpoints.save(trainer.model, trainer.optimizer, RunState(step=3))
    state = json.loads((tmp_path / "last" / "state.json").read_text())
    assert state["loss_scale"] == [0, 512]
    other = make("mixed_float16")
    assert checkpoints.restore(other.model, other.optimizer).step == 3
    assert float(other.optimizer.dynamic_scale) == 512


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(tmp_path):
    trainer = make()
    checkpoints = RunCheckpoints(tmp_path, CLASSES)
    checkpoints.save(trainer.model, trainer.optimizer, RunState(step=2))
    before = weights_of(tmp_path)
    unwritable = RunState(step=9, best={"step": object()})
    with pytest.raises(TypeError):
        checkpoints.save(trainer.model, trainer.optimizer, unwritable)
    assert checkpoints.newest().name == "00000002"
    assert largest_difference(before, weights_of(tmp_path)) == 0
    checkpoints.clear_unfinished()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["00000002"]


def test_a_configuration_describes_the_model_and_its_training(tmp_path):
    trainer = make()
    checkpoints = RunCheckpoints(tmp_path, CLASSES, C3D)
    checkpoints.save(trainer.model, trainer.optimizer, RunState(step=2))
    checkpoint = Checkpoint(tmp_path / "best")  # There from the first one on.
    config = checkpoint.config
    assert (config.architecture, config.stream) == ("c3d", "rgb")
    assert (config.width, config.class_names) == (WIDTH, "label_map.txt")
    assert config.recipe["batch_size"] == C3D.batch_size
    assert checkpoint.class_names == CLASSES


@pytest.mark.parametrize(
    "content", ["", "[]", '{"steps": 3}'], ids=["empty", "list", "other"]
)
def test_a_damaged_state(tmp_path, content):
    trainer = make()
    checkpoints = RunCheckpoints(tmp_path, CLASSES)
    checkpoints.save(trainer.model, trainer.optimizer, RunState(step=2))
    (tmp_path / "last" / "state.json").write_text(content)
    with pytest.raises(ValueError, match="state.json: is not the state of a training"):
        checkpoints.restore(trainer.model, trainer.optimizer)
