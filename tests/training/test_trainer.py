"""What `fit` of a trainer supports of Keras, and what it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2.training.trainer import Trainer


def make_trainer(**options):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    return Trainer(model, **options)


def compiled(trainer, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer.compile("sgd", loss, auto_scale_loss=False, jit_compile=False, **options)
    return trainer


def batches():
    data = np.ones((8, 3), np.float32), np.arange(8) % 2
    return tf.data.Dataset.from_tensor_slices(data).batch(4)


def test_several_steps_per_execution_are_refused():
    message = "Trainer runs one step per execution; omit steps_per_execution. .*: 4"
    with pytest.raises(ValueError, match=message):
        compiled(make_trainer(), steps_per_execution=4)


def test_the_step_is_traced_once():
    class CountingTrainer(Trainer):
        def train_step(self, data):
            traces.append(data)
            return super().train_step(data)

    traces = []
    trainer = CountingTrainer(make_trainer().model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer.compile("adam", loss, jit_compile=False)
    trainer.fit(batches(), verbose=0)
    assert len(traces) == 1


def test_weights_of_classes():
    compiled(make_trainer()).fit(batches(), class_weight={0: 1.0, 1: 2.0}, verbose=0)
    trainer = compiled(make_trainer(gradient_accumulation_steps=2))
    with pytest.raises(ValueError, match="takes no class_weight or sample_weight"):
        trainer.fit(batches(), class_weight={0: 1.0, 1: 2.0}, verbose=0)


def test_model_checkpoint(tmp_path):
    path = tmp_path / "x.keras"
    trainer = compiled(make_trainer())
    trainer.fit(
        batches(), verbose=0, callbacks=[keras.callbacks.ModelCheckpoint(str(path))]
    )
    saved = keras.models.load_model(path)
    for one, other in zip(saved.weights, trainer.model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
