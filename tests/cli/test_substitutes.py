"""What --weights=auto uses if GitHub cannot be reached."""

import json
import shutil

import numpy as np
import package_server
import programs
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import InceptionI3d

LINE = "--eval_type=rgb --imagenet_pretrained=false --video=FILE"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """An rgb_scratch of 400 classes, but narrow."""
    model = recipe.assign(InceptionI3d(400, width=1 / 16))
    return package_server.build_package(model, tmp_path_factory.mktemp("built"))


@pytest.fixture
def index(package, monkeypatch, no_backoff):
    with package_server.serving(package, monkeypatch) as server:
        yield server


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder like the checkout, with the demonstration's weights and clip."""
    for name in ("demo_rgb", "demo_flow"):
        shutil.copytree(ROOT / "checkpoints" / name, tmp_path / "checkpoints" / name)
    (tmp_path / "data").mkdir()
    name = "demo_opening_a_door.mp4"
    shutil.copy(ROOT / "data" / name, tmp_path / "data" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rgb_scratch_for_a_clip(index, folder):
    np.save(folder / "clip.npy", recipe.clip(16, 3))
    done = programs.run(
        "classify", "--eval_type=rgb", "--rgb_sample=clip.npy", "--json=out.json"
    )
    assert done.returncode == 0, done.stderr
    assert "Using rgb_scratch instead" in done.stderr
    result = json.loads((folder / "out.json").read_text())
    assert result["imagenet_pretrained"] is False
    assert result["checkpoints"] == {"rgb": "checkpoints/rgb_scratch/model.ckpt"}


def test_rgb_scratch_before_the_demonstration(index, folder):
    done = programs.run("classify", "--eval_type=rgb", "--top=2")
    assert done.returncode == 0, done.stderr
    assert "Using rgb_scratch instead" in done.stderr
    assert "Using a drawn clip instead" in done.stderr
    assert len(done.stdout.splitlines()) == 5


def test_demonstration_if_no_index_is_there(index, folder, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    done = programs.run("classify", "--eval_type=rgb")
    assert done.returncode == 0, done.stderr
    assert "this is a demonstration" in done.stderr
    assert "no connection to the package index" in done.stderr
    assert f"i3d classify {LINE}" in done.stderr


@pytest.mark.parametrize("flag", ["--weights=released", "--imagenet_pretrained=true"])
def test_what_is_requested_is_not_replaced(index, folder, flag):
    done = programs.run("classify", "--eval_type=rgb", flag)
    assert done.returncode == 2
    assert "model.ckpt.index: cannot be downloaded" in done.stderr
    assert not index.requests


def test_results_that_are_kept_are_of_the_weights_that_were_requested(index, folder):
    done = programs.run("export", "--eval_type=rgb", "--out=served")
    assert done.returncode == 2
    assert (
        "rgb_scratch, trained on Kinetics alone, is also on the package" in done.stderr
    )
    assert "--imagenet_pretrained=false" in done.stderr
    assert not index.requests
