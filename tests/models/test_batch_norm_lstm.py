"""The recurrent layer against a plain loop in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from lstm_loop import FEATURES, MAX_STEPS, NORMS, UNITS, layer_of, reference, sequence

from kinetics_i3d_tf2.models.batch_norm_lstm import BatchNormLstm, StepwiseBatchNorm


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("steps", [1, 3, 4, 7])
def test_outputs_are_the_loops(steps, training):
    layer, inputs = layer_of(), sequence(steps)
    expected, _ = reference(layer, inputs, training)
    outputs = layer(inputs, training=training)
    assert outputs.shape == (6, steps, UNITS)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)


@pytest.mark.parametrize("momentum", [0.999, 0.5])
@pytest.mark.parametrize("steps", [3, 4, 7])
def test_training_moves_the_averages_of_the_steps_it_saw(steps, momentum):
    layer, inputs = layer_of(), sequence(steps)
    for name in NORMS:
        getattr(layer, name).momentum = momentum
    before = {
        name: (norm.moving_mean.numpy(), norm.moving_variance.numpy())
        for name in NORMS
        for norm in [getattr(layer, name)]
    }
    _, seen = reference(layer, inputs, training=True)
    layer(inputs, training=True)
    for name in NORMS:
        norm = getattr(layer, name)
        for which, variable in enumerate((norm.moving_mean, norm.moving_variance)):
            expected = before[name][which].copy()
            batch = np.stack([pair[which] for pair in seen[name]])
            count = min(steps, MAX_STEPS)
            expected[:count] = momentum * expected[:count] + (1 - momentum) * batch
            np.testing.assert_allclose(variable.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_frozen_it_uses_the_moving_averages(training):
    layer, inputs = layer_of(), sequence(6)
    layer.trainable = False
    before = [v.numpy() for v in layer.weights]
    expected, _ = reference(layer, inputs, training=False)
    np.testing.assert_allclose(layer(inputs, training=training), expected, atol=1e-4)
    for old, variable in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_one_frozen_norm_keeps_its_averages():
    layer = layer_of()
    layer.cell_norm.trainable = False
    norms = (layer.cell_norm, layer.input_norm)
    before = [norm.moving_mean.numpy() for norm in norms]
    layer(sequence(4), training=True)
    changed = [
        not np.array_equal(old, norm.moving_mean.numpy())
        for old, norm in zip(before, norms, strict=True)
    ]
    assert changed == [False, True]


def test_first_weights():
    layer = BatchNormLstm(16, kernel_initializer="random_normal")
    layer.build((None, None, 16))
    for name in NORMS:
        norm = getattr(layer, name)
        assert norm.moving_mean.shape[0] == 25
        np.testing.assert_allclose(norm.gamma.numpy(), 0.1)
    assert not layer.bias.numpy().any()
    kernels = layer.input_kernel.numpy(), layer.recurrent_kernel.numpy()
    assert np.abs(kernels[0] - kernels[1]).max() > 0.01, "drawn twice alike"


def test_variables():
    names = {v.path.partition("/")[2] for v in layer_of(name="LSTM").weights}
    statistics = {"gamma", "moving_mean", "moving_variance"}
    assert names == {"input_kernel", "recurrent_kernel", "bias", "cell_norm/beta"} | {
        f"{norm}/{name}" for norm in NORMS for name in statistics
    }


def test_graph_of_free_batch_and_steps():
    layer = layer_of()

    @tf.function(
        jit_compile=False,
        input_signature=[tf.TensorSpec((None, None, FEATURES), tf.float32)],
    )
    def run(inputs):
        return layer(inputs)

    for steps, batch in ((2, 1), (6, 3)):
        inputs = sequence(steps, batch)
        expected, _ = reference(layer, inputs, training=False)
        np.testing.assert_allclose(run(inputs), expected, atol=1e-4)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_gradients_are_the_differences(graph):
    layer, inputs = layer_of(), sequence(6)

    def loss():
        return tf.reduce_sum(layer(inputs, training=True)[..., 0] ** 2)

    def gradients():
        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, layer.trainable_weights)

    statistics = [v for v in layer.weights if not v.trainable]
    kept = [v.numpy() for v in statistics]
    found = (tf.function(gradients) if graph else gradients)()
    for variable, gradient in zip(layer.trainable_weights, found, strict=True):
        direction = np.random.default_rng(2).normal(size=variable.shape)
        value, ends = variable.numpy(), []
        for sign in (1, -1):
            for statistic, old in zip(statistics, kept, strict=True):
                statistic.assign(old)
            variable.assign(value + sign * 1e-2 * direction)
            ends.append(float(loss()))
        variable.assign(value)
        expected = (ends[0] - ends[1]) / 2e-2
        received = np.sum(gradient * direction)
        assert received == pytest.approx(expected, rel=0.05, abs=0.02), variable.path


def test_config_round_trip():
    layer = BatchNormLstm(
        7, max_steps=3, kernel_initializer=keras.initializers.RandomNormal(stddev=0.5)
    )
    again = BatchNormLstm.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.kernel_initializer.stddev == 0.5
    norm = StepwiseBatchNorm(3, center=False, momentum=0.5, epsilon=0.1)
    again = StepwiseBatchNorm.from_config(norm.get_config())
    assert again.get_config() == norm.get_config()


def test_half_precision_keeps_the_averages_in_float32():
    layer, exact = layer_of(dtype="mixed_bfloat16"), layer_of()
    inputs = sequence(5)
    outputs = layer(inputs, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    expected = exact(inputs, training=True)
    np.testing.assert_allclose(np.float32(outputs), expected, atol=0.1)
    for ours, theirs in zip(layer.weights, exact.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-4)
