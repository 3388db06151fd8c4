"""The dtype that is taken follows from what was measured."""

import math

import pytest

from kinetics_i3d_tf2.inference import dtypes


def test_the_measurement_is_a_ratio():
    ratio = dtypes.bfloat16_speed()
    assert 0 < ratio < math.inf  # Without AVX-512, 0.03.
    assert dtypes.bfloat16_speed() == ratio  # Measured once.


@pytest.mark.parametrize(
    ("dtype", "ratio", "expected", "warning"),
    [
        ("float32", 2.0, "float32", ""),
        ("auto", 2.0, "bfloat16", ""),
        ("auto", 0.5, "float32", ""),
        ("bfloat16", 2.0, "bfloat16", ""),
        ("bfloat16", 0.5, "bfloat16", "bfloat16 is 2.0 times slower than float32"),
    ],
)
def test_resolving(monkeypatch, caplog, dtype, ratio, expected, warning):
    monkeypatch.setattr(dtypes, "bfloat16_speed", lambda: ratio)
    assert dtypes.resolve_dtype(dtype) == expected
    assert warning in caplog.text
    assert bool(caplog.text) == bool(warning)
