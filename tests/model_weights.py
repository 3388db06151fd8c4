"""Weights of models, compared."""

import keras
import numpy as np


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Values by the path of the variable."""
    return {v.path: v.numpy() for v in model.weights}


def assert_same_weights(model: keras.Model, other: keras.Model) -> None:
    """Fails unless all variables have the same names and values."""
    ours, theirs = weights_of(model), weights_of(other)
    assert ours.keys() == theirs.keys()
    for path, value in ours.items():
        np.testing.assert_array_equal(value, theirs[path], err_msg=path)
