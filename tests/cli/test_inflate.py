"""Inflation of Inception-V1: the boring video, the files of TF-slim, the program."""

import keras
import numpy as np
import programs
import pytest
import recipe
import tensorflow as tf

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.checkpoints import inception_v1, tf_slim
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.sonnet import (
    load_checkpoint,
    sonnet_name,
)
from kinetics_i3d_tf2.models.architecture import TRUNK, Conv, Mixed
from kinetics_i3d_tf2.models.inception_v1 import InceptionV1
from kinetics_i3d_tf2.utils import private_api

WIDTH = 1 / 8
SIZE = 64
ENDPOINTS = [row.name for row in TRUNK]
FIRST = "Conv2d_1a_7x7/conv_2d/w"


def images_network(channels=3, width=WIDTH, name="trunk"):
    """Inception-V1 with the recipe's weights."""
    trunk = InceptionV1(width, name=name)
    trunk.build((None, 1, SIZE, SIZE, channels))
    for variable in trunk.weights:
        kind = sonnet_name(variable).removeprefix(f"{name}/")
        value = recipe.weight(kind.replace("2d", "3d"), tuple(variable.shape))
        variable.assign(value)
    return trunk


def weights_of(trunk):
    scope = f"{trunk.name}/"
    return {sonnet_name(v).removeprefix(scope): v.numpy() for v in trunk.weights}


def slim_names(weights, classes=4):
    """The same weights as TF-slim names them, with ImageNet's classifier."""
    named = {}
    for name, value in weights.items():
        name = name.replace("conv_2d/w", "weights").replace("batch_norm", "BatchNorm")
        named[f"InceptionV1/{name}"] = value
    filters = weights["Mixed_5c/Branch_0/Conv2d_0a_1x1/conv_2d/w"].shape[2]
    logits = "InceptionV1/Logits/Conv2d_0c_1x1"
    named[f"{logits}/weights"] = np.zeros((1, 1, filters, classes), np.float32)
    named[f"{logits}/biases"] = np.zeros(classes, np.float32)
    named["global_step"] = np.int64(7)
    return named


def write_slim(path, named, version="V2"):
    """Writes TensorFlow's own file, as TF-slim's Saver did."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [v1.get_variable(n, initializer=x) for n, x in named.items()]
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(
            variables, write_version=getattr(v1.train.SaverDef, version)
        )
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
    return path


@pytest.fixture(scope="module")
def trunk():
    return images_network()


@pytest.fixture(scope="module")
def slim(trunk, tmp_path_factory):
    path = tmp_path_factory.mktemp("slim") / "inception_v1.ckpt"
    return write_slim(path, slim_names(weights_of(trunk)))


def inflated(slim, channels=3):
    model = InceptionI3d(final_endpoint="Mixed_5c", num_channels=channels, width=WIDTH)
    recipe.assign(model, seed=9)  # Nothing of this must be left.
    inception_v1.load_inception_v1(model, slim)
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
def test_a_boring_video_gives_the_images_activations(slim, trunk, channels):
    """At every endpoint, in the frames that zero padding in time does not reach."""
    frame = recipe.clip(1, channels, size=SIZE)
    reference = images_network(channels)
    if channels != 3:
        kernel = inception_v1.with_channels(weights_of(trunk)[FIRST], channels)
        weights = {**weights_of(trunk), FIRST: kernel}
        reference.set_weights(list(weights.values()))
    expected = reference.endpoints(frame)
    model = inflated(slim, channels).endpoint_model(ENDPOINTS)
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
def test_with_repeated_edges_it_is_exact_everywhere(slim, trunk, frames):
    frame = recipe.clip(1, 3, size=SIZE)
    expected = trunk.endpoints(frame)
    model = inflated(slim)
    repeat_edges(model)
    found = model.endpoint_model(ENDPOINTS)(np.repeat(frame, frames, axis=1))
    for endpoint in ENDPOINTS:
        difference = np.abs(found[endpoint] - expected[endpoint]).max()
        assert difference <= 1e-4, endpoint


def test_without_the_division_it_is_far_off(slim, trunk):
    frame = recipe.clip(1, 3, size=SIZE)
    model = inflated(slim)
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


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_both_formats_of_tensorflow_are_read(trunk, tmp_path, version):
    path = write_slim(tmp_path / "a.ckpt", slim_names(weights_of(trunk)), version)
    assert path.exists() == (version == "V1")
    assert tf_slim.is_inception_v1(path)
    found = tf_slim.read_inception_v1(path)
    expected = weights_of(trunk)
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_trunks_of_other_models(slim, trunk):
    clips = {
        "rgb": keras.Input((1, SIZE, SIZE, 3), name="rgb"),
        "flow": keras.Input((1, SIZE, SIZE, 20), name="flow"),
    }
    rgb, flow = InceptionV1(WIDTH, name="RGB"), InceptionV1(WIDTH, name="Flow")
    model = keras.Model(clips, [rgb(clips["rgb"]), flow(clips["flow"])])
    inception_v1.load_inception_v1(model, slim)
    for name, value in weights_of(rgb).items():
        np.testing.assert_array_equal(value, weights_of(trunk)[name], err_msg=name)
    kernel = weights_of(flow)[FIRST]
    mean = weights_of(trunk)[FIRST].mean(axis=2)
    for channel in range(20):
        np.testing.assert_allclose(kernel[:, :, channel], mean, atol=1e-6)


def test_models_that_it_does_not_fit(slim):
    with pytest.raises(ValueError, match="has no such trunk to begin with"):
        inception_v1.load_inception_v1(keras.Sequential([keras.Input((3,))]), slim)
    narrow = InceptionI3d(final_endpoint="Mixed_5c", width=1 / 16)
    with pytest.raises(ValueError, match="is it of another width"):
        inception_v1.load_inception_v1(narrow, slim)
    short = InceptionI3d(final_endpoint="Mixed_4b", width=WIDTH)
    with pytest.raises(ValueError, match="it must reach Mixed_5c"):
        inception_v1.load_inception_v1(short, slim)


def without(named):
    del named["InceptionV1/Mixed_3b/Branch_0/Conv2d_0a_1x1/weights"]


def with_scales(named):
    named["InceptionV1/Conv2d_1a_7x7/BatchNorm/gamma"] = np.ones(8, np.float32)


def of_another(named):
    named["InceptionV1/Mixed_6a/weights"] = np.ones(8, np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, "1 differences:\n  missing: Mixed_3b/Branch_0/Conv2d_0a_1x1/conv_2d"),
        (with_scales, "its batch norm has scales.*\n  unexpected: .*BatchNorm/gamma"),
        (of_another, "1 differences:\n  unexpected: InceptionV1/Mixed_6a/weights"),
    ],
)
def test_other_checkpoints_are_refused(trunk, tmp_path, change, message):
    named = slim_names(weights_of(trunk))
    change(named)
    path = write_slim(tmp_path / "a.ckpt", named)
    with pytest.raises(ValueError, match=message):
        tf_slim.read_inception_v1(path)


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    with pytest.raises(ValueError, match="is no checkpoint of TensorFlow .an archive"):
        tf_slim.read_inception_v1(tmp_path / "a.tar.gz")
    with pytest.raises(ValueError, match="is a folder; name the checkpoint in it"):
        tf_slim.read_inception_v1(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such checkpoint"):
        tf_slim.read_inception_v1(tmp_path / "b.ckpt")
    for name in ("a.tar.gz", "", "b.ckpt"):
        assert not tf_slim.is_inception_v1(tmp_path / name)


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_the_program(slim, tmp_path, stream):
    done = programs.run("inflate", f"--from={slim}", f"--stream={stream}",
        f"--out={tmp_path}/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"model.ckpt: I3D's trunk of {stream}; train it with" in done.stdout
    checkpoint = Checkpoint(tmp_path)
    assert len(checkpoint.variables) == 228
    assert (checkpoint.config.stream, checkpoint.width) == (stream, WIDTH)
    scopes = {entry.name.split("/")[0] for entry in checkpoint.variables}
    assert scopes == {{"rgb": "RGB", "flow": "Flow"}[stream]}
    channels = {"rgb": 3, "flow": 2}[stream]
    model = InceptionI3d(5, num_channels=channels, width=WIDTH)
    load_checkpoint(model, tmp_path, exclude=("Logits",))
    for ours, theirs in zip(
        model.weights[:228], inflated(slim, channels).weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from=nowhere", "--out=a"], "nowhere: there is no such checkpoint"),
        (["--out=a"], "--from must have a value"),
        (["--from=a", "--out=b", "--stream=joint"], "should be one of <rgb|flow>"),
    ],
)
def test_mistakes(arguments, message):
    done = programs.run("inflate", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.slow
def test_full_width_has_the_release_s_names(shared, trunk, tmp_path):
    """Those of the released checkpoint, but its classifier."""
    full = images_network(width=1.0)
    slim = write_slim(tmp_path / "a.ckpt", slim_names(weights_of(full)), "V1")
    values = inception_v1.inflate(tf_slim.read_inception_v1(slim))
    released = Checkpoint(
        shared / "release/checkpoints/rgb_imagenet/model.ckpt"
    ).variables
    expected = {
        entry.sonnet_name: entry.shape
        for entry in released.variables
        if not entry.sonnet_name.startswith("Logits/")
    }
    assert {name: value.shape for name, value in values.items()} == expected
