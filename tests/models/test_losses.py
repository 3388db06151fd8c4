"""Loss and accuracy of logits at every time step, against plain NumPy."""

import keras
import numpy as np
import pytest

from kinetics_i3d_tf2.models.losses import Crossentropy, Top1, last_step

LABELS = np.array([2, 0, 1])


def logits_of(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def test_the_loss_is_the_mean_over_all_steps():
    logits = logits_of(3, 5, 4)
    expected = -np.mean([log_softmax(logits)[n, :, x] for n, x in enumerate(LABELS)])
    assert float(Crossentropy()(LABELS, logits)) == pytest.approx(expected, rel=1e-5)


def test_without_steps_it_is_kerass_own():
    logits = logits_of(3, 4)
    usual = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(Crossentropy()(LABELS, logits)) == float(usual(LABELS, logits))


@pytest.mark.parametrize("shape", [(3, 5, 4), (3, 4)], ids=["steps", "clips"])
def test_a_clip_is_judged_by_its_last_step(shape):
    logits = logits_of(*shape)
    last = logits[:, -1] if len(shape) == 3 else logits
    np.testing.assert_array_equal(last_step(logits), last)
    last[0] = (0, 0, 9, 0)  # Right; in earlier steps it is not.
    last[1:] = (0, 0, 0, 9)
    metric = Top1()
    metric.update_state(LABELS, logits)
    assert float(metric.result()) == pytest.approx(1 / 3)


@pytest.mark.parametrize("made", [Crossentropy(), Top1()], ids=["loss", "metric"])
def test_they_are_saved_with_a_model(made):
    saving = keras.losses if isinstance(made, keras.losses.Loss) else keras.metrics
    again = saving.deserialize(saving.serialize(made))
    assert type(again) is type(made) and again.name == made.name
