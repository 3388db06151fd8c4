"""Where and when a model finds a class: exactly what its logits are the mean of."""

import numpy as np
import pytest
import recipe as weights

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.models import class_activation_maps


@pytest.fixture(scope="module")
def model():
    return weights.assign(InceptionI3d(7, width=1 / 16))


@pytest.mark.parametrize(
    ("frames", "size"), [(9, 224), (17, 224), (41, 200), (17, 256)], ids=str
)
def test_the_clip_s_logits_are_the_mean_of_its_maps(model, frames, size):
    clip = weights.clip(frames, 3, batch=2, size=size)
    outputs = model.endpoint_model(["Mixed_5c", "Logits"])(clip)
    features, logits = outputs["Mixed_5c"], np.asarray(outputs["Logits"])
    maps = class_activation_maps.maps(model, features)
    assert maps.shape == (*features.shape[:4], 7)
    coverage = class_activation_maps.coverage(maps.shape[1:4])
    assert coverage.sum() == pytest.approx(1)
    tolerance = 1e-5 * np.abs(logits).max()
    found = (maps * coverage[..., None]).sum((1, 2, 3))
    np.testing.assert_allclose(found, logits, atol=tolerance)
    over_time = class_activation_maps.over_time(model, features)
    assert over_time.shape == (2, features.shape[1] - 1, 7)
    np.testing.assert_allclose(over_time.mean(1), logits, atol=tolerance)


def test_coverage_is_how_many_windows_a_place_is_in():
    # Two windows in time over three places; one in space.
    found = class_activation_maps.coverage((3, 7, 7))
    np.testing.assert_allclose(found.sum((1, 2)), [0.25, 0.5, 0.25])
    np.testing.assert_allclose(found[0], np.full((7, 7), 0.25 / 49))
