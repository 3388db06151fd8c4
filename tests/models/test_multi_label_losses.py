"""Losses of several labels at once, against plain NumPy and Keras."""

import keras
import numpy as np
import pytest

from kinetics_i3d_tf2.models.dense import upsample_dense
from kinetics_i3d_tf2.models.losses import Crossentropy
from kinetics_i3d_tf2.models.multi_label_losses import (
    DenseCrossentropy,
    MultiLabelCrossentropy,
)

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(3, 5, 4)).astype(np.float32)
TARGETS = (RNG.random((3, 44, 4)) < 0.3).astype(np.float32)
WEIGHTS = (2.0, 1.0, 0.5, 3.0)


def binary(targets, logits, weights=1.0):
    probabilities = 1 / (1 + np.exp(-np.float64(logits)))
    positive = weights * targets * np.log(probabilities)
    return -(positive + (1 - targets) * np.log(1 - probabilities))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_dense_loss_is_half_localisation_and_half_classification(weights):
    frames = np.asarray(upsample_dense(LOGITS, 44))
    options = (1.0 if weights is None else np.array(weights),)
    localisation = binary(TARGETS, frames, *options).mean()
    classification = binary(TARGETS.max(1), frames.max(1), *options).mean()
    loss = DenseCrossentropy(positive_weights=weights)(TARGETS, LOGITS)
    assert float(loss) == pytest.approx((localisation + classification) / 2, rel=1e-5)


def test_without_weights_its_terms_are_kerass():
    frames = upsample_dense(LOGITS, 44)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    expected = (
        keras_loss(TARGETS, frames) / 2
        + keras_loss(TARGETS.max(1), keras.ops.max(frames, axis=1)) / 2
    )
    assert float(DenseCrossentropy()(TARGETS, LOGITS)) == pytest.approx(
        float(expected), rel=1e-5
    )


@pytest.mark.parametrize(
    "logits", [LOGITS[:, 0], LOGITS], ids=["of clips", "of time steps"]
)
def test_loss_of_clips(logits):
    targets = TARGETS.max(1)
    expected = binary(targets if logits.ndim == 2 else targets[:, None], logits)
    loss = MultiLabelCrossentropy()
    assert float(loss(targets, logits)) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 1), (3, 5, 1)], ids=["clips", "steps"])
def test_a_single_class(shape):
    logits, targets = RNG.normal(size=shape).astype(np.float32), TARGETS[:, 0, :1]
    expected = binary(targets.reshape(3, *[1] * (len(shape) - 1)), logits).mean()
    loss = MultiLabelCrossentropy()(targets, logits)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_large_logits_stay_finite():
    logits = np.array([[1e4, -1e4]], np.float32)
    targets = np.array([[0.0, 1.0]], np.float32)
    assert float(MultiLabelCrossentropy()(targets, logits)) == pytest.approx(1e4)


def test_a_loss_of_several_clips_is_the_mean_of_theirs():
    """So that replicas and microbatches change nothing."""
    loss = DenseCrossentropy(positive_weights=WEIGHTS)
    alone = [float(loss(TARGETS[n : n + 1], LOGITS[n : n + 1])) for n in range(3)]
    assert float(loss(TARGETS, LOGITS)) == pytest.approx(np.mean(alone), rel=1e-5)


def test_label_smoothing_is_kerass():
    labels, logits = np.array([2, 0, 1]), LOGITS[:, 0]
    usual = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    expected = usual(keras.ops.one_hot(labels, 4), logits)
    loss = Crossentropy(label_smoothing=0.1)(labels, logits)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("steps", [False, True], ids=["clips", "time steps"])
def test_class_weights_of_a_softmax_multiply_the_loss_of_a_clip(steps):
    labels, logits = np.array([2, 0, 1]), LOGITS if steps else LOGITS[:, 0]
    alone = [float(Crossentropy()(labels[[n]], logits[[n]])) for n in range(3)]
    expected = np.mean(np.array(alone) * [WEIGHTS[label] for label in labels])
    loss = Crossentropy(class_weights=WEIGHTS)(labels, logits)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "made",
    [
        DenseCrossentropy(positive_weights=WEIGHTS),
        MultiLabelCrossentropy(),
        Crossentropy(label_smoothing=0.1, class_weights=WEIGHTS),
    ],
    ids=["dense", "clips", "softmax"],
)
def test_they_are_saved_with_a_model(made):
    again = keras.losses.deserialize(keras.losses.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()
