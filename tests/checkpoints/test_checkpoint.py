import dataclasses
import shutil

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import (
    InceptionI3d,
    Momentum,
    TwoStream,
    load_checkpoint,
    load_model,
    save_checkpoint,
)
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.config import write_config_of_model
from kinetics_i3d_tf2.checkpoints.copies import copy_weights
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.models.registry import ARCHITECTURES
from kinetics_i3d_tf2.training.build import new_model


@pytest.mark.parametrize(
    ("kind", "stream"),
    [(kind, stream) for kind, row in ARCHITECTURES.items() for stream in row.streams],
)
def test_a_checkpoint_says_what_it_is_of(tmp_path, kind, stream):
    """Also of a width that rounds the filters."""
    clip = dataclasses.replace(ClipRecipe.of_model(kind), stream=stream)
    model = new_model(kind, 7, clip, width=0.1, in_training=True)
    save_checkpoint(model, tmp_path)
    found = Checkpoint(tmp_path)
    assert (found.architecture, found.stream, found.num_classes) == (kind, stream, 7)
    loaded = load_model(tmp_path)
    assert type(loaded) is type(model)
    assert [v.path for v in loaded.weights] == [v.path for v in model.weights]
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    assert loaded.output.shape == (None, 7)


def test_a_checkpoint_of_another_kind_or_stream(tmp_path):
    clip = dataclasses.replace(ClipRecipe.of_model("two_stream"), stream="rgb")
    save_checkpoint(new_model("two_stream", 3, clip, width=1 / 16), tmp_path)
    with pytest.raises(ValueError, match="is a checkpoint of two_stream, not of c3d"):
        Checkpoint(tmp_path).require("rgb", "c3d")
    with pytest.raises(ValueError, match="is of the stream rgb, not of joint"):
        Checkpoint(tmp_path).require("joint", "two_stream")


def test_class_names_beside_a_checkpoint(tmp_path):
    save_checkpoint(InceptionI3d(7, width=1 / 16), tmp_path)
    with pytest.raises(ValueError, match="label_map.txt: is missing.*7 classes"):
        _ = Checkpoint(tmp_path).class_names
    labels.write_label_map(tmp_path / "label_map.txt", list("abcdefg"))
    assert Checkpoint(tmp_path / "model.ckpt").class_names == tuple("abcdefg")
    labels.write_label_map(tmp_path / "label_map.txt", list("abcdefgh"))
    with pytest.raises(ValueError, match="has 8 classes, the checkpoint 7"):
        _ = Checkpoint(tmp_path).class_names


def test_class_names_of_kinetics_need_no_file(tmp_path):
    save_checkpoint(InceptionI3d(600, width=1 / 16), tmp_path)
    assert Checkpoint(tmp_path).class_names == labels.class_names(600)


@pytest.fixture
def folder(tmp_path):
    """A checkpoint with slots of an optimizer, a label map and a configuration."""
    model = recipe.assign(InceptionI3d(3, width=1 / 16))
    optimizer = Momentum(0.1)
    optimizer.build(model.trainable_weights)
    prefix = save_checkpoint(
        model, tmp_path / "run" / "model.ckpt", optimizer=optimizer
    )
    labels.write_label_map(tmp_path / "run" / "label_map.txt", "abc")
    write_config_of_model(prefix, model)
    return tmp_path / "run"


def test_weights_are_copied_with_the_files_next_to_them(folder, tmp_path):
    copy_weights(folder, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [
        "config.json",
        "label_map.txt",
        "model.ckpt.data-00000-of-00001",
        "model.ckpt.index",
    ]
    source, copy = Checkpoint(folder), Checkpoint(tmp_path / "copy")
    assert len(source.variables) == 230 + 116
    assert len(copy.variables) == 230
    assert copy.class_names == ("a", "b", "c")
    fingerprint = copy.fingerprint
    assert copy.config == dataclasses.replace(source.config, fingerprint=fingerprint)
    for entry in copy.variables:
        np.testing.assert_array_equal(copy.read(entry.name), source.read(entry.name))


def test_copies_of_copies_are_equal_to_the_byte(folder, tmp_path):
    copy_weights(folder, tmp_path / "a")
    save_checkpoint(load_model(tmp_path / "a"), tmp_path / "b" / "model.ckpt")
    for path in (tmp_path / "b").iterdir():
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


def test_a_bare_checkpoint_is_recognised(folder):
    configured = Checkpoint(folder)
    (folder / "config.json").unlink()
    bare = Checkpoint(folder)
    assert bare.config is None
    for name in ("architecture", "stream", "num_classes", "width", "class_names"):
        assert getattr(bare, name) == getattr(configured, name)


def test_an_open_checkpoint_is_loaded(folder):
    checkpoint = Checkpoint(folder)
    assert checkpoint.width == 1 / 16
    model = InceptionI3d(3, width=1 / 16)
    load_checkpoint(model, checkpoint)
    for ours, theirs in zip(
        model.weights, checkpoint.build_model().weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_facts_need_the_index_alone(folder):
    (folder / "model.ckpt.data-00000-of-00001").unlink()
    checkpoint = Checkpoint(folder)
    assert (checkpoint.architecture, checkpoint.width) == ("i3d", 1 / 16)
    assert checkpoint.describe().startswith("230 variables and 116 optimizer slots")
    with pytest.raises(
        FileNotFoundError, match="is missing; a checkpoint is its index"
    ):
        checkpoint.build_model()


def test_the_snippet_is_the_checkpoints(tmp_path):
    save_checkpoint(TwoStream(3, snippet=4, width=1 / 16), tmp_path)
    assert load_model(tmp_path).snippet == 4


def test_a_checkpoint_that_was_moved_is_the_same(folder, tmp_path):
    before = Checkpoint(folder)
    shutil.move(folder, tmp_path / "moved")
    assert Checkpoint(tmp_path / "moved").fingerprint == before.fingerprint
