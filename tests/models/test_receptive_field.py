"""Fields of view along time, against what moves when one frame changes."""

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.models.receptive_field import temporal_field

LENGTHS = (96, 97, 98, 99, 100, 101, 102, 103)


@pytest.mark.parametrize(
    ("last", "first", "expected"),
    [
        ("Conv3d_1a_7x7", None, (2, 3, 4)),
        ("MaxPool3d_4a_3x3", None, (4, 11, 14)),
        ("Mixed_5c", "MaxPool3d_4a_3x3", (2, 9, 10)),
        ("Mixed_5c", None, (8, 47, 54)),
        ("Mixed_5c", "Mixed_5b", (1, 1, 1)),
    ],
    ids=["first layer", "before the cut", "after the cut", "trunk", "one block"],
)
def test_fields(last, first, expected):
    assert tuple(temporal_field(last, first)) == expected


@pytest.fixture(scope="module")
def model():
    model = InceptionI3d(7, width=1 / 16)
    return recipe.assign(model, 3).endpoint_model(["MaxPool3d_4a_3x3", "Mixed_5c"])


@pytest.mark.parametrize("count", LENGTHS)
def test_no_place_sees_more(model, count):
    # Any size of frames will do before the classifier.
    clip = recipe.clip(count, 3, size=32)
    changed = clip.copy()
    frame = count // 2
    changed[:, frame] = -changed[:, frame] + 0.5
    before, after = model(clip), model(changed)
    for endpoint in before:
        field = temporal_field(endpoint)
        moved = np.abs(np.asarray(before[endpoint]) - np.asarray(after[endpoint]))
        (places,) = np.nonzero(moved[0].max((1, 2, 3)))
        assert len(places)
        assert frame >= places.max() * field.stride - field.before
        assert frame <= places.min() * field.stride + field.after
