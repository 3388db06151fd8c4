"""Inflation of Inception-V1: the boring video, and the models that take it."""

import keras
import numpy as np
import pytest
import recipe
import slim
import tensorflow as tf

from kinetics_i3d_tf2 import InceptionI3d, inflate_checkpoint, load_checkpoint
from kinetics_i3d_tf2.checkpoints import inception_v1, tf_slim
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.models.architecture import TRUNK, Conv, Mixed
from kinetics_i3d_tf2.models.inception_v1 import InceptionV1
from kinetics_i3d_tf2.utils import private_api

ENDPOINTS = [row.name for row in TRUNK]
FIRST = tf_slim.FIRST_KERNEL


def inflated(path, channels=3):
    model = InceptionI3d(
        final_endpoint="Mixed_5c", num_channels=channels, width=slim.WIDTH
    )
    recipe.assign(model, seed=9)  # Nothing of this must be left.
    inception_v1.load_inception_v1(model, path)
    return model


def reach_of_padding(endpoint):
    """Frames of an endpoint, from either end, that zeros in time have changed."""
    reach, length = 0, FRAMES
    for row in TRUNK[: ENDPOINTS.index(endpoint) + 1]:
        if isinstance(row, Mixed):
            kernel, stride = 3, 1
        elif isinstance(row, Conv):
            kernel, stride = row.kernel, row.stride
        else:  # Pools pad with nothing, but pass on what was changed.
            kernel, stride = row.window[0], row.strides[0]
        reach = -(-(reach + kernel // 2) // stride)
        length = -(-length // stride)
    return reach, length


FRAMES = 128


@pytest.mark.parametrize("channels", [3, 2], ids=["rgb", "flow"])
def test_a_boring_video_gives_the_images_activations(slim_file, trunk, channels):
    """At every endpoint, in the frames that zero padding in time does not reach."""
    frame = recipe.clip(1, channels, size=slim.SIZE)
    reference = slim.images_network(channels)
    if channels != 3:
        kernel = inception_v1.with_channels(slim.weights_of(trunk)[FIRST], channels)
        weights = {**slim.weights_of(trunk), FIRST: kernel}
        reference.set_weights(list(weights.values()))
    expected = reference.endpoints(frame)
    model = inflated(slim_file, channels).endpoint_model(ENDPOINTS)
    found = model(np.repeat(frame, FRAMES, axis=1))
    for endpoint in ENDPOINTS:
        reach, length = reach_of_padding(endpoint)
        assert found[endpoint].shape[1] == length > 2 * reach, endpoint
        middle = found[endpoint][:, reach : length - reach]
        difference = np.abs(middle - expected[endpoint]).max()
        assert difference <= 1e-4, endpoint
        assert np.abs(expected[endpoint]).max() > 0.1


def repeat_edges(model):
    """Makes the convolutions of a model pad time by repeating the first and last frame.

    As much on either side as TensorFlow pads with zeros.
    """
    for layer in private_api.all_layers(model):
        if isinstance(layer, keras.layers.Conv3D):
            layer.call = lambda inputs, layer=layer: padded_call(layer, inputs)


def padded_call(layer, inputs):
    length, kernel, stride = inputs.shape[1], layer.kernel_size[0], layer.strides[0]
    missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    before, after = missing // 2, missing - missing // 2
    ends = [inputs[:, :1]] * before, [inputs[:, -1:]] * after
    padded = tf.concat([*ends[0], inputs, *ends[1]], axis=1)
    # Valid along time, padded with zeros along height and width.
    sizes = [[0, 0], [0, 0]]
    for axis in (2, 3):
        size, kernel, stride = (
            inputs.shape[axis],
            *(x[axis - 1] for x in (layer.kernel_size, layer.strides)),
        )
        missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sizes.append([missing // 2, missing - missing // 2])
    padded = tf.pad(padded, [*sizes, [0, 0]])
    strides = [1, *layer.strides, 1]
    outputs = tf.nn.conv3d(padded, layer.kernel, strides, "VALID")
    return outputs if layer.bias is None else outputs + layer.bias


@pytest.mark.parametrize("frames", [1, 16])
def test_with_repeated_edges_it_is_exact_everywhere(slim_file, trunk, frames):
    frame = recipe.clip(1, 3, size=slim.SIZE)
    expected = trunk.endpoints(frame)
    model = inflated(slim_file)
    repeat_edges(model)
    found = model.endpoint_model(ENDPOINTS)(np.repeat(frame, frames, axis=1))
    for endpoint in ENDPOINTS:
        difference = np.abs(found[endpoint] - expected[endpoint]).max()
        assert difference <= 1e-4, endpoint


def test_without_the_division_it_is_far_off(slim_file, trunk):
    frame = recipe.clip(1, 3, size=slim.SIZE)
    model = inflated(slim_file)
    kernel = model.get_layer("Conv3d_1a_7x7").convolution.kernel
    kernel.assign(kernel * 7)
    first = model.endpoint_model(["Conv3d_1a_7x7"])
    found = first(np.repeat(frame, 16, axis=1))["Conv3d_1a_7x7"][:, 4]
    expected = trunk.endpoints(frame)["Conv3d_1a_7x7"][:, 0]
    assert np.abs(found - expected).max() > 1


@pytest.mark.parametrize("channels", [3, 2, 20])
def test_the_first_kernel_for_other_inputs(channels):
    kernel = np.random.default_rng(0).normal(size=(7, 7, 3, 5)).astype(np.float32)
    made = inception_v1.with_channels(kernel, channels)
    assert made.shape == (7, 7, channels, 5)
    for channel in range(channels):
        expected = kernel[:, :, channel] if channels == 3 else kernel.mean(2)
        np.testing.assert_allclose(made[:, :, channel], expected, atol=1e-6)


def test_trunks_of_other_models(slim_file, trunk):
    clips = {
        "rgb": keras.Input((1, slim.SIZE, slim.SIZE, 3), name="rgb"),
        "flow": keras.Input((1, slim.SIZE, slim.SIZE, 20), name="flow"),
    }
    rgb, flow = (
        InceptionV1(slim.WIDTH, name="RGB"),
        InceptionV1(slim.WIDTH, name="Flow"),
    )
    model = keras.Model(clips, [rgb(clips["rgb"]), flow(clips["flow"])])
    inception_v1.load_inception_v1(model, slim_file)
    expected = slim.weights_of(trunk)
    for name, value in slim.weights_of(rgb).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
    kernel = slim.weights_of(flow)[FIRST]
    mean = expected[FIRST].mean(axis=2)
    for channel in range(20):
        np.testing.assert_allclose(kernel[:, :, channel], mean, atol=1e-6)


def test_models_that_it_does_not_fit(slim_file):
    with pytest.raises(ValueError, match="has no trunk that takes it"):
        inception_v1.load_inception_v1(keras.Sequential([keras.Input((3,))]), slim_file)
    narrow = InceptionI3d(final_endpoint="Mixed_5c", width=1 / 16)
    with pytest.raises(ValueError, match="is it of another width"):
        inception_v1.load_inception_v1(narrow, slim_file)
    short = InceptionI3d(final_endpoint="Mixed_4b", width=slim.WIDTH)
    with pytest.raises(ValueError, match="it must reach Mixed_5c"):
        inception_v1.load_inception_v1(short, slim_file)


@pytest.mark.parametrize(("stream", "channels"), [("rgb", 3), ("flow", 2)])
def test_a_checkpoint_is_inflated(slim_file, tmp_path, stream, channels):
    prefix = inflate_checkpoint(slim_file, f"{tmp_path}/", stream=stream)
    checkpoint = Checkpoint(tmp_path)
    assert checkpoint.prefix == prefix
    assert len(checkpoint.variables) == 228
    found = (checkpoint.config.stream, checkpoint.stream, checkpoint.width)
    assert found == (stream, stream, slim.WIDTH)
    model = InceptionI3d(5, num_channels=channels, width=slim.WIDTH)
    load_checkpoint(model, tmp_path, exclude=("Logits",))
    expected = inflated(slim_file, channels).weights
    for ours, theirs in zip(model.weights[:228], expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_there_is_no_joint_trunk(slim_file, tmp_path):
    with pytest.raises(ValueError, match="stream must be one of rgb, flow"):
        inflate_checkpoint(slim_file, tmp_path, stream="joint")


@pytest.mark.slow
def test_full_width_has_the_release_s_names(shared, trunk, tmp_path):
    """Those of the released checkpoint, but its classifier."""
    full = slim.images_network(width=1.0)
    path = slim.write_slim(
        tmp_path / "a.ckpt", slim.slim_names(slim.weights_of(full)), "V1"
    )
    values = inception_v1.inflate(tf_slim.read_inception_v1(path))
    released = Checkpoint(
        shared / "release/checkpoints/rgb_imagenet/model.ckpt"
    ).variables
    expected = {
        entry.sonnet_name: entry.shape
        for entry in released
        if not entry.sonnet_name.startswith("Logits/")
    }
    assert {name: value.shape for name, value in values.items()} == expected
