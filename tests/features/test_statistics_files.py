"""Damaged files of a set's Gaussian."""

import numpy as np
import pytest

from kinetics_i3d_tf2.features.frechet import Gaussian
from kinetics_i3d_tf2.features.fvd_statistics import load_statistics, save_statistics

WHOLE = Gaussian(9, np.zeros(3), np.eye(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": np.zeros(2)}, "holds no statistics"),
        ({"count": np.array("nine")}, "holds no statistics"),
        ({"mean": np.zeros(4)}, r"the mean is \(4,\), the covariance \(3, 3\)"),
        ({"mean": np.array(0.0)}, r"the mean is \(\), the covariance \(3, 3\)"),
    ],
    ids=["two counts", "a count in words", "another size", "a scalar"],
)
def test_wrong_arrays(tmp_path, change, message):
    path = tmp_path / "real.npz"
    save_statistics(path, WHOLE, {})
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, **change})
    with pytest.raises(ValueError, match=f"real.npz: .*{message}"):
        load_statistics(path)


def test_damaged_archives(tmp_path):
    """Whatever zipfile raises, an OSError too, becomes an error with the path."""
    path = tmp_path / "real.npz"
    save_statistics(path, WHOLE, {})
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\1\2") + 42  # where an entry begins
    content[place : place + 4] = b"\xf0\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="real.npz: holds no statistics"):
        load_statistics(path)
