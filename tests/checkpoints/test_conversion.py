"""Files of other implementations to checkpoints, and back."""

import numpy as np
import port_files
import pytest

from kinetics_i3d_tf2.checkpoints import released
from kinetics_i3d_tf2.checkpoints.conversion import (
    export_weights,
    pytorch_state,
    verify_checkpoint,
)
from kinetics_i3d_tf2.checkpoints.importers import proof
from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights
from kinetics_i3d_tf2.checkpoints.sonnet import save_checkpoint, sonnet_name


@pytest.fixture(scope="module")
def weights(small_model):
    return {sonnet_name(v): v.numpy() for v in small_model.weights}


def test_export_to_pytorch_is_what_is_imported(weights):
    """Without PyTorch: the names and values that it would save."""
    expected = port_files.piergiaj(weights)
    state = pytorch_state(weights)
    assert state.keys() == expected.keys()
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(value, expected[name])
            assert value.shape == expected[name].shape


def test_export_to_pytorch(weights, small_model, tmp_path):
    torch = pytest.importorskip("torch", reason="the extra ports is not installed")
    saved = save_checkpoint(small_model, tmp_path / "model.ckpt")
    export_weights(saved, tmp_path / "x.pt", "pytorch")
    assert "logits.conv3d.bias" in torch.load(tmp_path / "x.pt", weights_only=True)
    found = read_weights(tmp_path / "x.pt").values
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value)


def test_export_to_keras(weights, small_model, tmp_path):
    saved = save_checkpoint(small_model, tmp_path / "model.ckpt")
    export_weights(saved, tmp_path / "x.keras", "keras")
    found = read_weights(tmp_path / "x.keras").values
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    ("out", "format", "message"),
    [
        ("x.pt", "caffe", "format must be pytorch or keras. Received: 'caffe'"),
        ("x.h5", "keras", "ends in .keras. Received: x.h5"),
    ],
)
def test_exports_that_cannot_be(tmp_path, out, format, message):
    with pytest.raises(ValueError, match=message):
        export_weights(tmp_path, out, format)


def test_verify_tells_bytes_from_values(small_model, tmp_path, monkeypatch):
    path = tmp_path / "model.ckpt"
    save_checkpoint(small_model, path)
    line = verify_checkpoint(path)
    assert line == f"{path} has no tensor in common with a released checkpoint"
    files = tuple(
        file._replace(blob_id=released.blob_id(f"{path}{part}"))
        for file, part in zip(
            released.RELEASED["rgb_scratch"],
            (".index", ".data-00000-of-00001"),
            strict=True,
        )
    )
    monkeypatch.setitem(released.RELEASED, "rgb_scratch", files)
    assert verify_checkpoint(path) == (
        f"{path} is rgb_scratch of the release, both files byte for byte (blobs "
        f"{files[0].blob_id} and {files[1].blob_id})"
    )
    values = read_weights(path).values
    crc = {name: proof._crc32c(value) for name, value in values.items()}
    monkeypatch.setattr(proof, "_released_crc32c", lambda: {"rgb_scratch": crc})
    export_weights(path, tmp_path / "x.keras", "keras")
    assert verify_checkpoint(tmp_path / "x.keras").endswith(
        f"x.keras is rgb_scratch of the release, to the bit (blob {files[1].blob_id})"
    )
