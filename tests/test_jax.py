"""The models and flow on Keras's other backend; the checks are in jax_checks.py."""

import itertools
import json

import cv2
import numpy as np
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import InceptionI3d

FAST = ("i3d", "c3d", "lstm", "tvl1")
SLOW = ("i3d_trains", "convnet_lstm", "two_stream", "fused")


@pytest.fixture(scope="module")
def failures(python, tmp_path_factory):
    """Runs checks in one process; returns the reasons of those that fail."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("expected")
    model = recipe.assign(InceptionI3d(7, width=1 / 64))
    np.save(folder / "i3d.npy", model(recipe.clip(9, 3, size=193)))
    texture = cv2.GaussianBlur(
        np.random.default_rng(0).uniform(size=(40, 50)), (0, 0), 2
    )
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    grey = np.stack([texture[i:, 2 * i :][:32, :40] for i in range(3)])
    engine = cv2.optflow.DualTVL1OpticalFlow_create(nscales=2)
    flow = [engine.calc(*pair, None) for pair in itertools.pairwise(grey)]
    np.save(folder / "grey.npy", grey.astype(np.float32))
    np.save(folder / "flow.npy", np.stack(flow))

    def run(names):
        script = ROOT / "tests" / "jax_checks.py"
        done = python(script, folder, *names, KERAS_BACKEND="jax")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def fast_failures(failures):
    return failures(FAST)


@pytest.fixture(scope="module")
def slow_failures(failures):
    return failures(SLOW)


@pytest.mark.parametrize("check", FAST)
def test_fast_checks(fast_failures, check):
    assert check not in fast_failures, fast_failures[check]


@pytest.mark.slow
@pytest.mark.parametrize("check", SLOW)
def test_slow_checks(slow_failures, check):
    assert check not in slow_failures, slow_failures[check]
