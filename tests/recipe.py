"""Weights and clips behind the golden figures; see golden/README.md.

Drawn from the frozen legacy stream of `np.random.RandomState`, so that every machine
and NumPy version gets the same numbers.
"""

import zlib

import numpy as np

from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name


def weight(name, shape, seed=0):
    """Value of the checkpoint variable `name` (without its stream's scope)."""
    rng = np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)
    value = rng.standard_normal(size=shape)
    if name.endswith(("/w", "_kernel")):
        gain = 16.0 if name.startswith("Logits/") else 2.0
        value = value * np.sqrt(gain / np.prod(shape[:-1]))
    elif name.endswith(("moving_variance", "gamma")):
        value = np.exp(0.2 * value)
    else:
        value = 0.2 * value
    return value.astype(np.float32)


def clip(frames, channels, batch=1, size=224, seed=0):
    """Moving sine waves, float32 (batch, frames, size, size, channels) in [-1, 1]."""
    rng = np.random.RandomState(seed)
    y, x = np.ogrid[:size, :size]
    video = np.empty((batch, frames, size, size, channels), np.float32)
    for one in range(batch):
        for channel in range(channels):
            times, places = [], []
            for _ in range(4):
                fy, fx = rng.uniform(-0.15, 0.15, 2)
                ft, phase = rng.uniform(-0.6, 0.6), rng.uniform(0, 2 * np.pi)
                time, place = ft * np.arange(frames) + phase, fy * y + fx * x
                times += [np.sin(time), np.cos(time)]
                places += [np.cos(place), np.sin(place)]
            # The sine of a sum of time and place, from those of either.
            waves = np.tensordot(times, places, axes=(0, 0))
            video[one, ..., channel] = waves / 4.0
    return video


def assign(model, seed=0):
    """Sets all weights of a model to the recipe's, and returns it."""
    for variable in model.weights:
        variable.assign(weight(sonnet_name(variable), tuple(variable.shape), seed))
    return model
