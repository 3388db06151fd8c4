"""The models that recipes train: their layers, what is frozen, weight decay."""

import dataclasses

import pytest
import tensorflow as tf

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.models.registry import ARCHITECTURES
from kinetics_i3d_tf2.training.build import build_model, new_model
from kinetics_i3d_tf2.training.recipe import TrainingRecipe
from kinetics_i3d_tf2.utils import private_api

CLIP = ClipRecipe(num_frames=9, short_side=200, crop_size=200)
RECIPE = TrainingRecipe(clip=CLIP, steps=2, batch_size=2, rates=((0, 0.01),))


def recipe_of(kind, **changes):
    return dataclasses.replace(
        RECIPE, model=kind, clip=ClipRecipe.of_model(kind), **changes
    )


def build(recipe, num_classes=5):
    return build_model(recipe, num_classes, width=1 / 16)


def test_weight_decay_is_half_the_sum_of_squares():
    model = build(dataclasses.replace(RECIPE, weight_decay=0.01))
    kernels = [v for v in model.weights if v.name == "kernel"]
    assert len(kernels) == 58
    expected = 0.01 * sum(float(tf.nn.l2_loss(kernel.value)) for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["convnet_lstm", "two_stream", "fused"])
def test_trunks_are_frozen_up_to_an_endpoint(kind):
    model = build(recipe_of(kind, freeze_until="Mixed_5b"))
    scopes = {v.path.split("/")[1] for v in model.trainable_weights if v.name == "beta"}
    assert scopes - {"batch_norm"} == {"Mixed_5c"} | {
        v.path.split("/")[1]
        for v in model.trainable_weights
        if v.name == "beta" and v.path.startswith("LSTM")
    }
    assert any(v.path.startswith("Logits") for v in model.trainable_weights)


def test_what_has_no_such_endpoint_cannot_be_frozen_there():
    with pytest.raises(ValueError, match="c3d has no endpoint Mixed_5c to freeze"):
        build(recipe_of("c3d", freeze_until="Mixed_5c"))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_batch_norm_is_as_the_recipe_has_it(kind):
    recipe = recipe_of(kind, batch_norm="frozen", batch_norm_momentum=0.5)
    model = build(recipe)
    norms = [x for x in private_api.all_layers(model) if hasattr(x, "momentum")]
    assert {x.momentum for x in norms} == {0.5}
    assert not any(x.trainable for x in norms)
    assert not any("norm" in v.path for v in model.trainable_weights)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("c3d", {"num_frames": 20}, "c3d takes clips of 16 frames and 112 pixels"),
        ("two_stream", {"num_frames": 20}, "two_stream takes one frame of RGB"),
        ("fused", {"num_frames": 55}, "num_frames must be a multiple of rgb_stride"),
    ],
)
def test_clips_that_do_not_go_into_a_model(kind, changes, message):
    clip = dataclasses.replace(ClipRecipe.of_model(kind), **changes)
    with pytest.raises(ValueError, match=message):
        new_model(kind, 5, clip, width=1 / 16)
