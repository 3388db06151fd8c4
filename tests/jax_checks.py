"""Checks on Keras's other backend, several in a process.

KERAS_BACKEND=jax python tests/jax_checks.py FOLDER CHECK...

FOLDER has the inputs and results of TensorFlow and OpenCV. Prints a JSON object of the
checks that failed, with the reasons.
"""

import json
import sys
import traceback
from pathlib import Path

sys.modules["tensorflow"] = None  # Nothing here may import it.

import baseline_goldens  # noqa: E402
import jax  # noqa: E402
import keras  # noqa: E402
import lstm_loop  # noqa: E402
import numpy as np  # noqa: E402
import recipe  # noqa: E402

from kinetics_i3d_tf2 import (  # noqa: E402
    InceptionI3d,
    fold_batch_norm,
    two_stream_logits,
)
from kinetics_i3d_tf2.models.logits import Logits  # noqa: E402
from kinetics_i3d_tf2.video import tvl1_keras  # noqa: E402

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 1 / 64  # Initializers are compiled for each shape, which takes long.


def predict(model, clips):
    return model.predict(clips, verbose=0)


def i3d(folder):
    clip, expected = recipe.clip(9, 3, size=193), np.load(folder / "i3d.npy")
    model = recipe.assign(InceptionI3d(7, width=WIDTH))
    np.testing.assert_allclose(predict(model, clip), expected, atol=1e-4)
    np.testing.assert_allclose(two_stream_logits(expected, expected), 2 * expected)
    try:
        model(clip[:, :8])
    except ValueError as error:
        assert "at least 9 frames" in str(error)
    else:
        raise AssertionError("8 frames were taken")


def i3d_trains(folder):
    """The first endpoints and the head: the time to compile grows with the depth."""
    trunk = InceptionI3d(width=WIDTH, final_endpoint="Mixed_3b")
    head = Logits(7, name="Logits")
    model = recipe.assign(keras.Model(trunk.input, head(trunk.output)))
    clip = recipe.clip(9, 3, size=64)
    expected = predict(model, clip)
    folded = predict(fold_batch_norm(model), clip)
    np.testing.assert_allclose(folded, expected, atol=1e-4)
    before = [variable.numpy() for variable in model.weights]
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(clip, np.zeros(1), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for old, variable in zip(before, model.weights, strict=True):
        assert not np.array_equal(old, variable.numpy()), variable.path


def baseline(kind):
    expected = np.load(GOLDEN / f"baseline_{kind}.npz")
    # As one graph: without, each shape of each operation is compiled.
    for name, value in baseline_goldens.logits(kind, predict).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-3)


def lstm(folder):
    for training, steps in ((False, 3), (True, 7)):
        layer, inputs = lstm_loop.layer_of(), lstm_loop.sequence(steps)
        expected, _ = lstm_loop.reference(layer, inputs, training)
        before = layer.input_norm.moving_mean.numpy()
        outputs = layer(inputs, training=training)
        np.testing.assert_allclose(outputs, expected, atol=1e-4)
        same = np.array_equal(before, layer.input_norm.moving_mean.numpy())
        assert same != training
    layers = [keras.Input((None, 5)), lstm_loop.layer_of(), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    before = [v.numpy() for v in model.weights]
    model.fit(lstm_loop.sequence(6), np.ones((6, 6, 2)), verbose=0)
    for old, variable in zip(before, model.weights, strict=True):
        assert not np.array_equal(old, variable.numpy()), variable.path


def tvl1(folder):
    tvl1_keras.SCALES = 2  # Each is compiled.
    grey, expected = np.load(folder / "grey.npy"), np.load(folder / "flow.npy")
    flow = jax.jit(tvl1_keras.tvl1_flow)(grey[:-1], grey[1:])
    assert np.linalg.norm(np.asarray(flow) - expected, axis=-1).mean() <= 0.05


CHECKS = {
    "i3d": i3d,
    "i3d_trains": i3d_trains,
    "c3d": lambda folder: baseline("c3d"),
    "convnet_lstm": lambda folder: baseline("convnet_lstm"),
    "two_stream": lambda folder: baseline("two_stream"),
    "fused": lambda folder: baseline("fused"),
    "lstm": lstm,
    "tvl1": tvl1,
}


if __name__ == "__main__":
    assert keras.backend.backend() == "jax"
    failed = {}
    for check in sys.argv[2:]:
        try:
            CHECKS[check](Path(sys.argv[1]))
        except Exception:
            failed[check] = traceback.format_exc()
    print(json.dumps(failed))
