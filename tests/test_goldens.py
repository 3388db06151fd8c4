"""The model's numbers against those of the release's own code."""

import functools

import keras
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, two_stream_logits, two_stream_probabilities
from kinetics_i3d_tf2.architecture import ENDPOINTS

CHANNELS = {"rgb": 3, "flow": 2}


@functools.cache
def released_size_model(channels, num_classes=400, spatial_squeeze=True):
    return recipe.assign(
        InceptionI3d(
            num_classes,
            spatial_squeeze,
            "Predictions",
            num_channels=channels,
            dropout_rate=0.0,
        )
    )


@functools.cache
def outputs(channels, frames, num_classes=400):
    model = released_size_model(channels, num_classes)
    model = model.endpoint_model(["Logits", "Predictions"])
    return model(recipe.clip(frames, channels))


@pytest.mark.parametrize("frames", [16, 79])
@pytest.mark.parametrize("stream", CHANNELS)
def test_evaluation(golden, stream, frames):
    expected = golden(f"eval_{stream}_{frames}")
    received = outputs(CHANNELS[stream], frames)
    np.testing.assert_allclose(received["Logits"], expected["logits"], atol=1e-3)
    np.testing.assert_allclose(
        received["Predictions"], expected["predictions"], atol=1e-4
    )


def test_evaluation_kinetics_600(golden):
    expected = golden("eval_rgb600_16")
    received = outputs(3, 16, 600)
    np.testing.assert_allclose(received["Logits"], expected["logits"], atol=1e-3)


@pytest.mark.parametrize("frames", [16, 79])
def test_joint(golden, frames):
    expected = sum(golden(f"eval_{stream}_{frames}")["logits"] for stream in CHANNELS)
    streams = [outputs(channels, frames)["Logits"] for channels in CHANNELS.values()]
    np.testing.assert_allclose(two_stream_logits(*streams), expected, atol=2e-3)
    shifted = np.exp(expected - expected.max())
    np.testing.assert_allclose(
        two_stream_probabilities(*streams), shifted / shifted.sum(), atol=1e-3
    )


def test_evaluation_without_spatial_squeeze(golden):
    expected = golden("eval_rgb_16_unsqueezed")["logits"]
    model = released_size_model(3, spatial_squeeze=False)
    logits = model.endpoint_model(["Logits"])(recipe.clip(16, 3, batch=2))["Logits"]
    assert logits.shape == expected.shape == (2, 1, 1, 400)
    np.testing.assert_allclose(logits, expected, atol=1e-3)


@pytest.mark.parametrize("stream", CHANNELS)
def test_every_endpoint(golden, stream):
    expected = golden(f"eval_{stream}_16")
    model = released_size_model(CHANNELS[stream])
    received = model.endpoint_model(ENDPOINTS)(recipe.clip(16, CHANNELS[stream]))
    assert list(received) == list(ENDPOINTS)
    for name, value in received.items():
        key = f"endpoint/{name}"
        value = np.asarray(value)
        assert value.shape == tuple(expected[f"{key}/shape"]), name
        np.testing.assert_allclose(
            [value.mean(), value.std()], expected[f"{key}/mean_std"], atol=1e-3
        )
        np.testing.assert_allclose(
            value.reshape(-1)[expected[f"{key}/index"]],
            expected[f"{key}/value"],
            atol=1e-3,
            err_msg=name,
        )


@pytest.mark.parametrize("stream", CHANNELS)
def test_first_training_step(golden, stream):
    """Batch norm in training mode: logits, and moving averages after the step."""
    expected = golden(f"train_{stream}_16")
    channels = CHANNELS[stream]
    model = recipe.assign(InceptionI3d(num_channels=channels, dropout_rate=0.0))
    logits = model(recipe.clip(16, channels, batch=2), training=True)
    np.testing.assert_allclose(logits, expected["train_logits"][0], atol=2e-3)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    labels = np.arange(2) * 7 % 400
    np.testing.assert_allclose(
        entropy(labels, logits), np.mean(expected["ce"][0]), rtol=1e-4
    )
