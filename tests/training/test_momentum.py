import keras
import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2.training.momentum import Momentum

# The rate falls and rises again, as in the release's training of Flow.
RATES = [0.1, 0.1, 0.01, 0.01, 0.001, 0.1]
GRADIENTS = np.random.default_rng(0).normal(size=(len(RATES), 3)).astype(np.float32)
START = np.array([1.0, -2.0, 3.0], np.float32)


def steps_of(optimizer):
    variable = keras.Variable(START)
    optimizer.build([variable])
    values = []
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        values.append(variable.numpy())
    return np.array(values)


def steps_of_tensorflow_1():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variable = v1.get_variable("w", initializer=START)
        gradient, rate = v1.placeholder(tf.float32, [3]), v1.placeholder(tf.float32)
        optimizer = v1.train.MomentumOptimizer(rate, 0.9)
        step = optimizer.apply_gradients([(gradient, variable)])
        session.run(v1.global_variables_initializer())
        values = []
        for one_rate, one in zip(RATES, GRADIENTS, strict=True):
            session.run(step, {gradient: one, rate: one_rate})
            values.append(session.run(variable))
    return np.array(values)


def test_it_is_tensorflow_1s_rule_when_the_rate_changes():
    np.testing.assert_allclose(steps_of(Momentum()), steps_of_tensorflow_1(), rtol=1e-6)


def test_keras_sgd_differs_after_a_change_of_rate_only():
    ours = steps_of(Momentum())
    theirs = steps_of(keras.optimizers.SGD(momentum=0.9))
    np.testing.assert_allclose(ours[:2], theirs[:2], rtol=1e-6)
    assert np.abs(ours[2] - theirs[2]).max() > 0.01


def test_configuration_makes_an_equal_optimizer():
    config = Momentum(0.2, momentum=0.8, clipnorm=1.0).get_config()
    copy = Momentum.from_config(config)
    assert (copy.momentum, copy.clipnorm) == (0.8, 1.0)
    assert float(copy.learning_rate) == pytest.approx(0.2)


def test_its_variables_are_its_own():
    optimizer = Momentum(learning_rate=1)
    variable = keras.Variable(START)
    optimizer.build([variable])
    assert all(other is not variable for other in optimizer.variables)
    assert len(optimizer.variables) == 3  # The step, the rate, an accumulator.


def test_momentum_out_of_range():
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\). Received: 1"):
        Momentum(momentum=1)
