"""What `fit` of any of the models does; their own tests do the rest."""

import keras
import numpy as np

from kinetics_i3d_tf2.models.named_model import NamedModel


def test_a_training_step_is_traced_once():
    class Model(NamedModel):
        def train_step(self, data):
            traces.append(data)
            return super().train_step(data)

    traces = []
    inputs = keras.Input((3,))
    model = Model(inputs, keras.layers.Dense(2)(inputs))
    model.compile("adam", "mse", jit_compile=False)
    model.fit(np.ones((8, 3)), np.ones((8, 2)), batch_size=4, verbose=0)
    assert len(traces) == 1
    assert int(model.optimizer.iterations) == 2
