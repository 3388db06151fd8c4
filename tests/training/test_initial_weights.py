"""The weights that recipes start from."""

import dataclasses

import numpy as np
import pytest
from trainings import I3D, WIDTH

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.training.build import build_model
from kinetics_i3d_tf2.training.initial_weights import load_initial_weights


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
