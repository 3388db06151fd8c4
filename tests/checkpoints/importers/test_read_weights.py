"""Weights of every implementation, drawn from the recipe, and back to the bit."""

import keras
import numpy as np
import port_files
import pytest
import pytorch_format

from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name


@pytest.fixture(scope="module")
def weights(small_model):
    return {sonnet_name(v): v.numpy() for v in small_model.weights}


@pytest.mark.parametrize("writer", port_files.WRITERS.values(), ids=port_files.WRITERS)
def test_weights_are_equal_to_the_bit(weights, tmp_path, writer):
    path = writer(weights, tmp_path / "file") or tmp_path / "file"
    found = read_weights(path)
    assert list(found.values) == sorted(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(found.values[name], value, err_msg=name)
        assert found.values[name].dtype == np.float32
    assert (found.stream, found.num_classes) == ("rgb", 7)
    assert not [note for note in found.notes if "left out" not in note]


@pytest.mark.parametrize("names", [port_files.piergiaj, port_files.hassony2])
def test_scale_of_batch_norm_is_folded(weights, tmp_path, names):
    state = names(weights, lambda beta: np.linspace(0.5, 2, beta.size, dtype="f4"))
    pytorch_format.write_zip(state, tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    assert "batch norm has a scale in 57 units" in found.notes[0]
    scope = "Mixed_4b/Branch_1/Conv3d_0b_3x3"
    scale = np.linspace(0.5, 2, weights[f"{scope}/batch_norm/beta"].size, dtype="f4")
    for role, expected in {
        "conv_3d/w": weights[f"{scope}/conv_3d/w"] * scale,
        "batch_norm/moving_mean": weights[f"{scope}/batch_norm/moving_mean"] * scale,
        "batch_norm/beta": weights[f"{scope}/batch_norm/beta"],
        "batch_norm/moving_variance": weights[f"{scope}/batch_norm/moving_variance"],
    }.items():
        np.testing.assert_array_equal(found.values[f"{scope}/{role}"], expected)


def test_folded_scale_gives_the_same_activations():
    """gamma (x - mean) / sqrt(variance + 1e-3) + beta, of both sides."""
    rng = np.random.default_rng(0)
    x, gamma, mean, beta = rng.standard_normal((4, 5))
    variance = rng.uniform(0.5, 2, 5)
    deviation = np.sqrt(variance + 1e-3)
    expected = gamma * (x - mean) / deviation + beta
    ours = (x * gamma - mean * gamma) / deviation + beta
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_flow_and_any_number_of_classes(weights, tmp_path):
    head = "Logits/Conv3d_0c_1x1/conv_3d"
    kernel = weights["Conv3d_1a_7x7/conv_3d/w"]
    changed = {
        **weights,
        "Conv3d_1a_7x7/conv_3d/w": np.ascontiguousarray(kernel[..., :2, :]),
        f"{head}/w": np.ascontiguousarray(weights[f"{head}/w"][..., :3]),
        f"{head}/b": np.zeros(3, np.float32),
    }
    port_files.write_pytorch(changed, tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    assert (found.stream, found.num_classes) == ("flow", 3)


def test_without_a_classifier(weights, tmp_path):
    trunk = {n: v for n, v in weights.items() if not n.startswith("Logits")}
    port_files.dlpbc(trunk, tmp_path / "notop.h5")
    found = read_weights(tmp_path / "notop.h5")
    assert found.num_classes is None
    assert found.notes == ("there is no classifier",)


def test_half_precision(weights, tmp_path):
    state = {
        name: value.astype("f2") if value.dtype == np.float32 else value
        for name, value in port_files.piergiaj(weights).items()
    }
    pytorch_format.write_zip(state, tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    for name, value in weights.items():
        np.testing.assert_array_equal(found.values[name], value.astype("f2"))


def change(state, **changes):
    state = dict(state)
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del state[name]
        else:
            state[name] = value
    return state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Mixed_3b__b0__bn__bias": None}, "missing: Mixed_3b.b0.bn.bias"),
        ({"logits__conv3d__bias": None}, "missing: logits.conv3d.bias"),
        ({"fc__weight": np.zeros((2, 3), "f4")}, r"unexpected: fc.weight \[2, 3\]"),
        (
            {"Mixed_3b__b0__conv3d__weight": np.zeros((4, 12, 3, 1, 1), "f4")},
            r"Mixed_3b/Branch_0/Conv3d_0a_1x1: kernel of \[3, 1, 1, 12, 4\], "
            r"not \[1, 1, 1, 12, filters\]",
        ),
        (
            {"Conv3d_1a_7x7__conv3d__weight": np.zeros((4, 4, 7, 7, 7), "f4")},
            r"not \[7, 7, 7, 2 or 3, filters\]",
        ),
        (
            {"Conv3d_2b_1x1__bn__bias": np.zeros(5, "f4")},
            r"Conv3d_2b_1x1: beta of \[5\], not \[4\]",
        ),
        (
            {"Conv3d_2b_1x1__bn__bias": np.zeros(4, "i8")},
            "Conv3d_2b_1x1: beta of dtype int64",
        ),
    ],
    ids=["missing", "no bias", "unexpected", "kernel", "channels", "vector", "dtype"],
)
def test_tensors_that_do_not_fit(weights, tmp_path, changes, message):
    state = change(port_files.piergiaj(weights), **changes)
    pytorch_format.write_zip(state, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=message) as caught:
        read_weights(tmp_path / "x.pt")
    assert str(caught.value).startswith(f"{tmp_path / 'x.pt'}: ")


def test_two_models_in_a_file(weights, tmp_path):
    state = port_files.piergiaj(weights)
    pytorch_format.write_zip({"model": state, "ema": dict(state)}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match="contains 2 models, under 'model/', 'ema/'"):
        read_weights(tmp_path / "x.pt")


VIDEO, IMAGE = (64, 64, 1, 1, 1), (64, 64, 1, 1)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {"layer1.0.conv1.weight": VIDEO, "layer1.0.conv3.weight": VIDEO},
            "I3D ResNet-50, a different architecture",
        ),
        (
            {"layer1.0.conv3.weight": VIDEO, "layer3.22.conv1.weight": VIDEO},
            "I3D ResNet-101, a different",
        ),
        ({"module.layer1.0.conv1.weight": IMAGE}, "ResNet-18 or 34 of images"),
        ({"layer1.0.conv1.0.0.weight": VIDEO}, r"R\(2\+1\)D or MC3 ResNet"),
        ({"blocks.1.res_blocks.0.branch1_conv.weight": VIDEO}, "I3D ResNet or Slow"),
        ({"blocks.1.multipathway_blocks.0.x.weight": VIDEO}, "SlowFast"),
        ({"s2.pathway0_res0.branch1.weight": VIDEO}, r"PySlowFast"),
        ({"res2.0.branch2a.weight": VIDEO}, "I3D ResNet"),
        ({"base.1.conv_s.weight": VIDEO}, "S3D"),
        ({"fc6.weight": (4096, 8192)}, "C3D"),
        ({"blocks.0.attn.qkv.weight": (9, 3)}, "a video transformer"),
        ({"head.weight": (9, 3)}, "its tensors are named head.weight"),
        ({}, "it contains no tensor"),
    ],
    ids=lambda value: next(iter(value), "empty") if isinstance(value, dict) else "",
)
def test_other_architectures_are_named(tmp_path, shapes, message):
    state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    pytorch_format.write_zip(state, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=f"contains no weights of I3D: .*{message}"):
        read_weights(tmp_path / "x.pt")


def test_keras_file_of_another_model(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save(tmp_path / "x.keras")
    with pytest.raises(
        ValueError, match="contains the Keras model 'Sequential', not Ince"
    ):
        read_weights(tmp_path / "x.keras")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"GIF89a...", "has an unknown format; it begins with b'GIF89a..'.*HDF5"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\x1f\x8b\x08\x00", "gzip archive; unpack it"),
        (b"PK\x03\x04", "corrupt: File is not a zip file"),
        (b"\x80\x04", "truncated or corrupt"),
        (b"\x89HDF\r\n\x1a\n", "file signature not found|truncated|[Uu]nable"),
    ],
    ids=["empty", "gif", "lfs", "web page", "gzip", "zip", "pickle", "hdf5"],
)
def test_files_of_no_weights(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_weights(tmp_path / "x")


def test_folder_of_no_weights(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="no TensorFlow checkpoint.*but notes.txt"):
        read_weights(tmp_path)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "x.pt")
