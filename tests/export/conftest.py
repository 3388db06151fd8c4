"""One model of both streams and its traced signatures, shared by the tests."""

import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.export.signatures import Signatures


@pytest.fixture(scope="session")
def models(small_model):
    """Narrow models of 7 classes, by stream."""
    flow_model = InceptionI3d(num_classes=7, width=1 / 16, num_channels=2)
    return {"rgb": small_model, "flow": recipe.assign(flow_model)}


@pytest.fixture(scope="session")
def joint(models):
    """Signatures of both streams, which answer with three of the classes "a" to "g"."""
    return Signatures(models, tuple("abcdefg"), top=3).concrete_functions()
