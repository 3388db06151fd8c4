"""What `fit` of any of the models does; their own tests do the rest."""

import keras
import numpy as np
import tensorflow as tf

from kinetics_i3d_tf2.models.named_model import NamedModel

CLIPS, TARGETS = np.ones((8, 3), np.float32), np.ones((8, 2), np.float32)


def make_model(kind=NamedModel):
    inputs = keras.Input((3,))
    model = kind(inputs, keras.layers.Dense(2, kernel_initializer="ones")(inputs))
    model.compile("adam", "mse", jit_compile=False)
    return model


def test_a_training_step_is_traced_once():
    class Model(NamedModel):
        def train_step(self, data):
            traces.append(data)
            return super().train_step(data)

    traces = []
    model = make_model(Model)
    model.fit(CLIPS, TARGETS, batch_size=4, verbose=0)
    assert len(traces) == 1
    assert int(model.optimizer.iterations) == 2


def test_under_a_strategy():
    model = make_model()
    model.fit(CLIPS, TARGETS, batch_size=4, verbose=0)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        mirrored = make_model()
    mirrored.fit(CLIPS, TARGETS, batch_size=4, verbose=0)
    for variable in mirrored.optimizer.variables:
        assert isinstance(variable.value, tf.distribute.DistributedValues)
    for one, other in zip(model.weights, mirrored.weights, strict=True):
        np.testing.assert_array_equal(one, other)
