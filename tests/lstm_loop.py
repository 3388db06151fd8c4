"""A small recurrent layer, and what it computes as a plain loop in NumPy."""

import numpy as np

from kinetics_i3d_tf2.models.batch_norm_lstm import BatchNormLstm

NORMS = ("input_norm", "recurrent_norm", "cell_norm")
UNITS, FEATURES, MAX_STEPS = 3, 5, 4


def layer_of(seed=0, **options):
    """A small layer with random weights and statistics."""
    layer = BatchNormLstm(UNITS, max_steps=MAX_STEPS, **options)
    layer.build((None, None, FEATURES))
    rng = np.random.default_rng(seed)
    for variable in layer.weights:
        value = rng.normal(size=variable.shape)
        if variable.path.endswith("moving_variance"):
            value = np.exp(value)
        variable.assign(value)
    return layer


def sequence(steps, batch=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, steps, FEATURES)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(layer, inputs, training):
    """Outputs of every step, and the batch's statistics `{norm: [(mean, var)]}`."""
    seen = {name: [] for name in NORMS}

    def normalize(name, values, step):
        norm = getattr(layer, name)
        if training and step < MAX_STEPS:
            mean, variance = values.mean(0), ((values - values.mean(0)) ** 2).mean(0)
            seen[name].append((mean, variance))
        else:
            row = min(step, MAX_STEPS - 1)
            mean = norm.moving_mean.numpy()[row]
            variance = norm.moving_variance.numpy()[row]
        values = (values - mean) / np.sqrt(variance + 1e-3) * norm.gamma.numpy()
        return values + (norm.beta.numpy() if norm.center else 0)

    hidden = cell = np.zeros((len(inputs), UNITS))
    outputs = []
    for step in range(inputs.shape[1]):
        came_in = normalize(
            "input_norm", inputs[:, step] @ layer.input_kernel.numpy(), step
        )
        returned = normalize(
            "recurrent_norm", hidden @ layer.recurrent_kernel.numpy(), step
        )
        i, f, g, o = np.split(came_in + returned + layer.bias.numpy(), 4, axis=1)
        cell = sigmoid(f + 1) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(normalize("cell_norm", cell, step))
        outputs.append(hidden)
    return np.stack(outputs, axis=1), seen
