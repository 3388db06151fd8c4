"""The arithmetic that is fastest on this processor, found by a measurement.

A processor that lists bfloat16 may be slower with it: a Xeon with AVX-512 BF16 and
without AMX takes twice as long as in float32, one with AMX a quarter, and one without
AVX-512, which does not list it, 30 times as long.
"""

import functools
import time

import keras
import numpy as np
from absl import logging

from .graph import freeze

# One convolution like those of I3D's middle, with little work around it.
_SHAPE = (4, 28, 28, 96)
_FILTERS = 128
_REPEATS = 3


def resolve_dtype(dtype: str) -> str:
    """The dtype that "auto" stands for; a warning if "bfloat16" is slower here.

    Args:
        dtype: "float32", "bfloat16" or "auto".

    Returns:
        "float32" or "bfloat16".
    """
    if dtype == "float32":
        return dtype
    ratio = bfloat16_speed()
    if dtype == "auto":
        return "bfloat16" if ratio > 1 else "float32"
    if ratio < 1:
        logging.warning(
            "bfloat16 is %.1f times slower than float32 on this processor; "
            "--dtype=auto would take float32",
            1 / ratio,
        )
    return dtype


@functools.cache
def bfloat16_speed() -> float:
    """How many times faster a convolution is in bfloat16 than in float32.

    Measured once, on two cores in less than 0.3 seconds, or 3 without AVX-512.
    """
    clip = np.random.default_rng(0).normal(size=(1, *_SHAPE)).astype(np.float32)
    seconds = {dtype: _time(dtype, clip) for dtype in ("float32", "bfloat16")}
    return seconds["float32"] / seconds["bfloat16"]


def _time(dtype, clip):
    inputs = keras.Input(_SHAPE, dtype="float32")
    convolution = keras.layers.Conv3D(_FILTERS, 3, padding="same", dtype=dtype)
    run = freeze(keras.Model(inputs, convolution(inputs)))
    run(clip)
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        run(clip)
        times.append(time.perf_counter() - start)
    return min(times)
