import os

import numpy as np
import processes
import pytest
import recipe
from model_weights import assert_same_weights, weights_of

from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint, save_checkpoint
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import (
    BundleReader,
    write_bundle,
)


def model_of(num_classes=7, **arguments):
    return InceptionI3d(num_classes, width=1 / 16, **arguments)


@pytest.fixture(scope="module")
def other_model():
    """A model that no damaged file may change."""
    return recipe.assign(model_of(), seed=1)


@pytest.mark.parametrize("half", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty"])
def test_damaged_files(small_model, other_model, tmp_path, half, damage):
    save_checkpoint(small_model, tmp_path)
    path = tmp_path / f"model.ckpt.{half}"
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    before = weights_of(other_model)
    error = FileNotFoundError if damage == "missing" else ValueError
    expected = "no such|is missing|no checkpoint" if damage == "missing" else "corrupt"
    with pytest.raises(error, match=expected) as caught:
        load_checkpoint(other_model, tmp_path / "model.ckpt")
    assert f"model.ckpt.{half}" in str(caught.value)
    for name, value in weights_of(other_model).items():
        np.testing.assert_array_equal(value, before[name])


def test_folder_without_a_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no .*index file"):
        load_checkpoint(model_of(), tmp_path)
    for name in ("a.index", "b.index"):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match="holds a.index, b.index"):
        load_checkpoint(model_of(), tmp_path)


def test_folder_with_a_checkpoint_of_another_name(tmp_path):
    model = recipe.assign(model_of())
    save_checkpoint(model, tmp_path / "step-100")
    loaded = model_of()
    load_checkpoint(loaded, tmp_path)
    assert_same_weights(loaded, model)


def test_saving_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        save_checkpoint(model_of(), tmp_path / "file" / "model.ckpt")


def test_saving_leaves_nothing_else(tmp_path):
    model = model_of()
    for _ in range(2):  # The second takes the first one's place.
        save_checkpoint(model, tmp_path)
    assert sorted(os.listdir(tmp_path)) == [
        "model.ckpt.data-00000-of-00001",
        "model.ckpt.index",
    ]


def test_killed_while_saving(tmp_path):
    """kill -9 at several moments: the checkpoint is whole, old or new.

    Or, between the moves of its two files, refused: once at most in five times.
    """
    code = """
import os, signal, sys, time
import numpy as np
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import write_bundle
bundles = [
    {f"{name}/w": np.full(30_000, value, np.float32) for name in range(100)}
    for value in (0, 1)
]
for delay in sys.argv[2:]:
    prefix = os.path.join(sys.argv[1], delay, "model.ckpt")
    child = os.fork()
    while child == 0:
        for bundle in bundles:
            write_bundle(prefix, bundle)
    while not os.path.exists(f"{prefix}.index"):
        time.sleep(0.001)
    time.sleep(float(delay))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
    delays = ("0.01", "0.03", "0.05", "0.08", "0.11")
    done = processes.run("-c", code, tmp_path, *delays)
    assert done.returncode == 0, done.stderr
    refused = 0
    for delay in delays:
        reader = BundleReader(tmp_path / delay)
        try:
            values = [reader.read(name) for name, _, _ in reader.entries()]
        except ValueError as error:
            assert "truncated or corrupt" in str(error)
            refused += 1
            continue
        assert np.stack(values).shape == (100, 30_000)
        assert np.ptp(values) == 0
    assert refused <= 1


def test_tensors_are_written_in_order_of_name(tmp_path):
    values = {f"{name}/w": np.full(3, n, np.float32) for n, name in enumerate("cab")}
    write_bundle(tmp_path / "model.ckpt", values)
    data = np.fromfile(tmp_path / "model.ckpt.data-00000-of-00001", np.float32)
    assert data.tolist() == [1, 1, 1, 2, 2, 2, 0, 0, 0]
    assert BundleReader(tmp_path).entries() == [
        (f"{name}/w", (3,), "float32") for name in "abc"
    ]


def test_the_index_is_enough_until_a_tensor_is_read(tmp_path):
    write_bundle(tmp_path / "model.ckpt", {"w": np.ones(3, np.float32)})
    (tmp_path / "model.ckpt.data-00000-of-00001").unlink()
    reader = BundleReader(tmp_path)
    assert reader.entries() == [("w", (3,), "float32")]
    with pytest.raises(
        FileNotFoundError, match="is missing; a checkpoint is its index"
    ):
        reader.read("w")


def test_the_fingerprint_is_of_the_content(tmp_path):
    for folder, value in {"a": 1, "b": 1, "c": 2}.items():
        values = {"w": np.full(3, value, np.float32)}
        write_bundle(tmp_path / folder / f"{folder}.ckpt", values)
    a, b, c = (BundleReader(tmp_path / folder).fingerprint for folder in "abc")
    assert a == b != c
    assert len(a) == 16
