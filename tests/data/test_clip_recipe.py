"""The clips of each architecture that the paper compares.

Source of the counts: paper, table 1 (train and test input), at 25 frames per second.
"""

import pytest

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe


@pytest.mark.parametrize(
    ("kind", "seconds", "lengths"),
    [
        ("i3d", 2.56, {"rgb": 64}),
        ("convnet_lstm", 5, {"rgb": 25}),
        ("c3d", 0.64, {"rgb": 16}),
        ("two_stream", 0.4, {"rgb": 1, "flow": 10}),
        ("fused", 2, {"rgb": 5, "flow": 50}),
    ],
)
def test_training_input_is_the_papers(kind, seconds, lengths):
    recipe = ClipRecipe.of_model(kind)
    assert recipe.num_frames / 25 == seconds
    assert {name: recipe.length(name) for name in recipe.streams} == lengths
    assert (recipe.short_side, recipe.crop_size) == (
        (128, 112) if kind == "c3d" else (256, 224)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": "RGB"}, "stream must be one of joint, rgb, flow. Received: 'RGB'"),
        *(
            ({name: 0}, f"{name} must be at least 1. Received: 0")
            for name in ("num_frames", "rgb_stride", "min_frames")
        ),
        ({"crop_size": 300}, r"at most short_side \(256\). Received: 300"),
        ({"max_damaged": 2}, "max_damaged is a share, 0 to 1. Received: 2"),
    ],
)
def test_bad_recipes(options, message):
    with pytest.raises(ValueError, match=message):
        ClipRecipe(**options)
