"""Clips in overlapping pieces give what the whole clip gives."""

import functools

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.inference import graph
from kinetics_i3d_tf2.inference.streaming import long_clips, pieces

CHANNELS = {"rgb": 3, "flow": 2}
SIZE = 193
# Every remainder by the trunk's stride of 8, whole pieces and ends of all kinds.
LENGTHS = (136, 137, 146, 155, 164, 173, 182, 191)


# The number of channels makes no difference to time: most tests see one stream.
@pytest.fixture(scope="module", params=["flow"])
def stream(request):
    return request.param


@pytest.fixture(scope="module")
def model(stream):
    channels = CHANNELS[stream]
    model = InceptionI3d(7, num_channels=channels, width=1 / 16)
    return recipe.assign(model, channels)


@pytest.fixture(scope="module")
def whole(model):
    return model.endpoint_model(["Mixed_5c", "Logits"])


@pytest.fixture(scope="module")
def trunk(whole):
    """Frozen, as calls of Keras's layers take longer than what they compute here."""
    return pieces.PiecewiseModel(whole, prepare=graph.freeze, length=32)


def clip(channels, count):
    return longest(channels)[:count]


@functools.cache
def longest(channels):
    return recipe.clip(max(LENGTHS), channels, size=SIZE)[0]


def in_pieces(model, frames):
    """Blocks of places of a clip."""
    part = model.start(len(frames))
    blocks = [block for frame in frames for block in part.add(frame)]
    return [*blocks, *part.finish()]


@pytest.mark.parametrize(
    ("stream", "count"),
    [("rgb" if count == 155 else "flow", count) for count in LENGTHS],
    indirect=["stream"],
)
def test_logits_and_places(model, whole, trunk, count):
    frames = clip(model.num_channels, count)
    expected = {
        name: np.asarray(values) for name, values in whole(frames[None]).items()
    }
    blocks = in_pieces(trunk, frames)
    assert len(blocks) > 1
    np.testing.assert_allclose(
        np.concatenate(blocks), expected["Mixed_5c"][0], atol=1e-4
    )
    mean = long_clips.PlacesMean()
    for block in blocks:
        mean.add(block)
    logits = long_clips.head_of(whole)(mean)
    np.testing.assert_allclose(logits, expected["Logits"][0], atol=1e-4)


@pytest.mark.parametrize("endpoint", ["Conv3d_2c_3x3", "MaxPool3d_4a_3x3", "Mixed_4d"])
def test_other_endpoints_of_a_frozen_model(model, endpoint):
    frames = clip(model.num_channels, 151)
    whole = graph.fold_batch_norm(model.endpoint_model([endpoint]))
    expected = np.asarray(whole(frames[None])[endpoint])[0]
    trunk = pieces.PiecewiseModel(whole, endpoint, prepare=graph.freeze, length=32)
    found = np.concatenate(in_pieces(trunk, frames))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_logits_over_space(model):
    frames = recipe.clip(97, model.num_channels, size=256)[0]
    config = model.get_config() | {"spatial_squeeze": False}
    wide = InceptionI3d.from_config(config)
    wide.set_weights(model.get_weights())
    expected = np.asarray(wide(frames[None]))[0]
    mean = long_clips.PlacesMean()
    for block in in_pieces(pieces.PiecewiseModel(wide, length=32), frames):
        mean.add(block)
    logits = long_clips.head_of(wide)(mean)
    assert logits.shape == (2, 2, 7)
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("announced", [152, 155], ids=["one more", "four more"])
def test_a_wrong_count_is_found_out_and_put_right(model, stream, announced):
    frames = clip(model.num_channels, 151)
    models = {stream: long_clips.LongClipModel(model)}
    attempts = []

    def attempt(count):
        attempts.append(count)
        streams = ({stream: frame} for frame in frames)
        return long_clips.run(models, streams, {stream: count}, show=3)

    done = pieces.with_right_count(attempt, announced)
    assert attempts == [announced, 151]
    assert done.num_frames == 151
    np.testing.assert_allclose(
        done.outputs[stream]["Logits"], np.asarray(model(frames[None])), atol=1e-4
    )
    assert done.shown[stream].numbers.tolist() == [25, 75, 125]
    np.testing.assert_array_equal(done.shown[stream].frames, frames[[25, 75, 125]])
