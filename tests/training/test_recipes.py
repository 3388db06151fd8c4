"""Recipes as values: their ranges, and the ten that come with the package."""

import ast
import dataclasses
import inspect
import itertools

import pytest

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.training import recipes
from kinetics_i3d_tf2.training.recipe import TrainingRecipe
from kinetics_i3d_tf2.training.recipes import RECIPES

VALUES = {"clip": ClipRecipe(), "steps": 10, "batch_size": 4, "rates": ((0, 0.1),)}


def test_the_releases_flow_rates_rise_again():
    recipe = RECIPES["release_flow"]
    expected = {
        0: 0.1, 96_999: 0.1, 97_000: 0.01, 104_499: 0.01, 104_500: 0.001,
        114_999: 0.001, 115_000: 0.1, 140_000: 0.01, 150_000: 0.001, 154_999: 0.001,
    }  # fmt: skip
    assert {step: recipe.rate(step) for step in expected} == expected
    assert (recipe.steps, recipe.batch_size, recipe.momentum) == (155_000, 64 * 6, 0.9)
    assert (recipe.weight_decay, recipe.dropout_rate) == (1e-7, 0.5)
    assert recipe.batch_norm_momentum == 0.999


def test_fixed_trains_the_classifier_alone():
    assert RECIPES["finetune_fixed"].freeze_until == "Mixed_5c"
    assert RECIPES["finetune_full"].freeze_until is None
    assert RECIPES["finetune_fixed"].init == "released"


def docstrings():
    """What stands below each value of the module, by its name."""
    body = ast.parse(inspect.getsource(recipes)).body
    return {
        first.targets[0].id: second.value.value
        for first, second in itertools.pairwise(body)
        if isinstance(first, ast.Assign) and isinstance(second, ast.Expr)
    }


@pytest.mark.parametrize("name", RECIPES)
def test_each_opens_with_its_command_and_the_result(name):
    assert RECIPES[name] is getattr(recipes, name.upper())
    text = docstrings()[name.upper()]
    assert f"--recipe={name}" in text
    assert "Expect" in text


def test_recipes_are_values():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPES["release_rgb"].steps = 1
    with pytest.raises(TypeError):
        RECIPES["mine"] = None


def test_other_steps_move_the_changes_of_the_rate():
    recipe = RECIPES["release_rgb"].with_steps(1150)
    assert recipe.steps == 1150
    assert recipe.rates == ((0, 0.1), (970, 0.01), (1080, 0.001))


def test_another_rate_keeps_the_ratios():
    rates = RECIPES["release_rgb"].with_learning_rate(0.02).rates
    assert [rate for _, rate in rates] == pytest.approx([0.02, 0.002, 0.0002])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"clip": ClipRecipe("joint")}, "i3d is trained on one of .*: rgb, flow"),
        ({"model": "c4d"}, "model must be one of i3d, convnet_lstm"),
        (
            {"model": "convnet_lstm", "batch_norm": "synchronized"},
            "convnet_lstm does not support batch_norm=synch",
        ),
        ({"model": "c3d", "init": "released"}, "no released weights of c3d"),
        ({"steps": 0}, "steps and batch_size must be at least 1"),
        ({"rates": ((5, 0.1),)}, r"from step 0 on, in order. Received: \(\(5, 0.1\)"),
        ({"rates": ()}, "from step 0 on"),
        ({"rates": ((0, 0.1), (9, 0.0))}, "rates must be above 0"),
        ({"batch_norm": "dead"}, "one of live, frozen, synchronized. Received: 'dead'"),
        ({"freeze_until": "Logits"}, "freeze_until must be one of Conv3d_1a_7x7,"),
        ({"dropout_rate": 1.0}, r"dropout_rate must be in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0"),
    ],
)
def test_errors(change, message):
    with pytest.raises(ValueError, match=message):
        TrainingRecipe(**{**VALUES, **change})
