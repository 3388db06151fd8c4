"""The models and flow on Keras's other backend; the checks are in jax_checks.py."""

import itertools
import json

import cv2
import numpy as np
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import InceptionI3d

CHECKS = (
    "i3d", "c3d", "lstm", "tvl1", "i3d_trains", "convnet_lstm", "two_stream", "fused"
)  # fmt: skip


@pytest.fixture(scope="module")
def failures(python, tmp_path_factory):
    """Reasons of the checks that fail, run in one process."""
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

    script = ROOT / "tests" / "jax_checks.py"
    done = python(script, folder, *CHECKS, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_checks(failures, check):
    assert check not in failures, failures[check]
