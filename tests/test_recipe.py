import importlib.util

import numpy as np
import pytest
import recipe


@pytest.fixture(scope="module")
def reference(shared):
    path = shared / "golden" / "recipe.py"
    spec = importlib.util.spec_from_file_location("reference_recipe", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "Conv3d_1a_7x7/conv_3d/w",
        "Logits/Conv3d_0c_1x1/conv_3d/w",
        "Logits/Conv3d_0c_1x1/conv_3d/b",
        "Mixed_3b/Branch_0/Conv3d_0a_1x1/batch_norm/moving_variance",
        "Mixed_3b/Branch_0/Conv3d_0a_1x1/batch_norm/moving_mean",
    ],
)
def test_weights_are_the_references(reference, name):
    for seed in (0, 3):
        np.testing.assert_array_equal(
            recipe.weight(name, (3, 3, 3, 4, 8), seed),
            reference.weight(name, (3, 3, 3, 4, 8), seed),
        )


def test_clips_are_the_references(reference):
    np.testing.assert_array_equal(
        recipe.clip(5, 2, batch=2, size=20, seed=4),
        reference.clip(5, 2, batch=2, size=20, seed=4),
    )


def test_golden_files_are_the_references(shared, golden):
    for path in (shared / "golden").glob("*.npz"):
        ours, theirs = golden(path.stem), np.load(path)
        assert sorted(ours.files) == sorted(theirs.files)
        for key in theirs.files:
            np.testing.assert_array_equal(ours[key], theirs[key])
