"""i3d checkpoint: lists, imports, verifies, exports and copies."""

import re

import numpy as np
import port_files
import programs
import pytest

from kinetics_i3d_tf2 import load_model, save_checkpoint
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name


def run(*arguments):
    return programs.run("checkpoint", *arguments)


@pytest.fixture(scope="module")
def saved(small_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save_checkpoint(small_model, folder / "model.ckpt")
    return folder


@pytest.fixture(scope="module")
def pytorch_file(small_model, tmp_path_factory):
    weights = {sonnet_name(v): v.numpy() for v in small_model.weights}
    path = tmp_path_factory.mktemp("files") / "rgb.pt"
    port_files.write_pytorch(weights, path)
    return path


def test_import(pytorch_file, saved, tmp_path):
    label_map = tmp_path / "names.txt"
    label_map.write_text("".join(f"class {index}\n" for index in range(7)))
    out = tmp_path / "out"
    done = run("import", pytorch_file, f"--out={out}", f"--label_map={label_map}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{pytorch_file} has no tensor in common with a released checkpoint",
        f"Checkpoint: {out}/model.ckpt",
    ]
    for name in ("model.ckpt.index", "model.ckpt.data-00000-of-00001"):
        assert (out / name).read_bytes() == (saved / name).read_bytes()
    assert (out / "label_map.txt").read_text() == label_map.read_text()


def test_verify(saved):
    done = run("verify", saved)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("has no tensor in common with a released checkpoint\n")


def test_export(saved, small_model, tmp_path):
    out = tmp_path / "x.keras"
    done = run("export", saved, "--format=keras", f"--out={out}")
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    done = run("import", out, f"--out={tmp_path / 'back'}")
    assert done.returncode == 0, done.stderr
    loaded = load_model(tmp_path / "back")
    for ours, theirs in zip(loaded.weights, small_model.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_list_and_copy(saved, tmp_path):
    done = run(saved)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 231
    assert "RGB/inception_i3d/Logits/Conv3d_0c_1x1/conv_3d/b  [7]  float32" in lines
    assert lines[-1] == (
        "230 variables; InceptionI3d of 3 channels and 7 classes, scope RGB; "
        "like none of the released ones (other width)"
    )
    done = run(saved, f"--copy_to={tmp_path / 'copy'}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy" / "model.ckpt.index").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one checkpoint"),
        (["/nowhere"], "no such checkpoint file"),
        (["reverse", "x"], "give one checkpoint"),
        (["import", "x"], "--out: pass a folder"),
        (["import", "x", "--out="], "--out= is empty; pass a path"),
        (
            ["import", "x", "--format=keras"],
            "--format is not for i3d checkpoint import",
        ),
        (["export", "x", "--out=y.pt"], "--out and --format: pass a file"),
        (["verify", "x", "--out=y"], "--out is not for i3d checkpoint verify"),
        (["x", "--out=y"], "--out is not for i3d checkpoint list"),
        (["verify", "/nowhere/x.pt"], "/nowhere/x.pt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(message, done.stderr)
    assert done.stderr.count("\n") == 1
