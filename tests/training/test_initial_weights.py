"""The weights that recipes start from."""

import dataclasses

import numpy as np
import pytest
import slim
import trainings
from trainings import C3D, I3D, WIDTH, read_videos, write_videos

from kinetics_i3d_tf2 import C3d, Checkpoint, InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.training.build import build_model
from kinetics_i3d_tf2.training.initial_weights import (
    initial_width,
    load_initial_weights,
)


@pytest.mark.parametrize(
    "names, kept",
    [(("bright", "dark"), True), (("dark", "light"), False), (None, False)],
)
def test_a_classifier_of_the_same_classes_is_kept(tmp_path, names, kept):
    source = InceptionI3d(2, width=WIDTH)
    save_checkpoint(source, tmp_path / "model.ckpt")
    if names is not None:
        labels.write_label_map(tmp_path / "label_map.txt", names)
    recipe = dataclasses.replace(I3D, init=str(tmp_path))
    model = InceptionI3d(class_names=("bright", "dark"), width=WIDTH)
    load_initial_weights(model, recipe)
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        if ours.name == "kernel":
            same = bool((ours.numpy() == theirs.numpy()).all())
            assert same == (kept or "Logits" not in ours.path), ours.path


def test_training_starts_from_a_trunk_without_classifier(tmp_path):
    source = InceptionI3d(final_endpoint="Mixed_5c", width=WIDTH)
    save_checkpoint(source, tmp_path)
    recipe = dataclasses.replace(I3D, init=str(tmp_path))
    model = build_model(recipe, 5, width=WIDTH)
    load_initial_weights(model, recipe)
    np.testing.assert_array_equal(model.weights[0], source.weights[0])


def test_the_width_is_that_of_the_initial_weights(tmp_path):
    save_checkpoint(InceptionI3d(2, width=0.1), tmp_path / "model.ckpt")
    recipe = dataclasses.replace(I3D, init=str(tmp_path))
    assert initial_width(recipe) == 0.1
    assert initial_width(I3D) == 1.0
    network = slim.images_network()
    path = slim.write_slim(
        tmp_path / "inception_v1.ckpt", slim.slim_names(slim.weights_of(network))
    )
    assert initial_width(dataclasses.replace(I3D, init=str(path))) == network.width


def test_training_takes_the_width_of_its_initial_weights(tmp_path):
    write_videos(tmp_path / "videos", {"train": 2, "val": 2})
    data = read_videos(tmp_path / "videos")
    save_checkpoint(C3d(2, width=1 / 64), tmp_path / "init" / "model.ckpt")
    recipe = dataclasses.replace(C3D, init=str(tmp_path / "init"), steps=1)
    trainings.run(recipe, data, tmp_path / "run", width=None)
    trained = Checkpoint(tmp_path / "run" / "last")
    assert trained.width == 1 / 64
    # Resumed without the initial weights.
    (tmp_path / "init").rename(tmp_path / "gone")
    trainings.run(recipe, data, tmp_path / "run", width=None)
