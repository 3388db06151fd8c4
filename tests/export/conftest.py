"""One model of both streams and its traced signatures, shared by the tests."""

import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.export.signatures import Signatures

EPSILON = 0.05  # Pixels. Optical flow takes most of the time of these tests.


@pytest.fixture(scope="session")
def models(small_model):
    """Narrow models of 7 classes, by stream."""
    flow_model = InceptionI3d(num_classes=7, width=1 / 16, num_channels=2)
    return {"rgb": small_model, "flow": recipe.assign(flow_model)}


@pytest.fixture(scope="session")
def joint(models):
    """Signatures of both streams, which answer with three of the classes "a" to "g"."""
    functions = Signatures(models, tuple("abcdefg"), top=3, epsilon=EPSILON)
    return functions.concrete_functions()
