"""One damaged and one impossible video among others, in every program."""

import contextlib
import csv
import json
import os
import sys
import threading

import built_models
import numpy as np
import programs
import pytest
import trainings
from videos import damaged_video, thin_gif, write_images, write_video

from kinetics_i3d_tf2 import save_checkpoint
from kinetics_i3d_tf2.data import labels

NAMES = ("jump", "wave")
SIZES = ("--short_side=200", "--crop_size=193")
LONG_SIDE = "would be resized to"
DAMAGE = "1 frames are damaged and 3 are missing of 60"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "rgb"
    model = built_models.narrow_i3d(2)
    save_checkpoint(model, folder / "model.ckpt", scope="RGB")
    labels.write_label_map(folder / "label_map.txt", NAMES)
    return ("--eval_type=rgb", f"--rgb_checkpoint={folder}")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A whole video, a damaged one, a thin one and a folder of images."""
    folder = tmp_path_factory.mktemp("videos")
    for name in NAMES:
        (folder / "val" / name).mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 255, (20, 48, 64, 3), np.uint8)
    write_video(folder / "val" / "jump" / "whole.mkv", noise, codec="ffv1")
    damaged_video(folder / "val" / "jump" / "damaged.mkv")
    thin_gif(folder / "val" / "wave" / "thin.gif")
    write_images(folder / "val" / "wave" / "images", noise)
    return folder


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_classify_one_video(videos, checkpoint, tmp_path):
    path = videos / "val" / "jump" / "damaged.mkv"
    out = tmp_path / "out.json"
    done = programs.run("classify", f"--video={path}", *checkpoint, f"--json={out}")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"damaged.mkv: {DAMAGE}") <= 1  # Once in a process.
    assert json.loads(out.read_text())["damage"] == {
        "decoded_frames": 57,
        "damaged_frames": 1,
        "missing_frames": 3,
        "is_truncated": False,
        "trailing_bytes": 0,
    }
    strict = "--max_damaged_frames=0.01"
    done = programs.run("classify", f"--video={path}", *checkpoint, strict)
    assert done.returncode == 2
    assert f"{DAMAGE}; that is more than max_damaged_frames=0.01" in done.stderr


@pytest.mark.parametrize(
    ("fps", "frames"), [((), 20), (("--fps=50",), 10)], ids=["25", "50"]
)
def test_classify_a_folder_of_images(videos, checkpoint, fps, frames):
    folder = videos / "val" / "wave" / "images"
    done = programs.run("classify", f"--video={folder}", *checkpoint, *fps)
    assert done.returncode == 0, done.stderr
    assert f"Running RGB on {frames} frames" in done.stderr


def test_the_rate_is_for_folders_of_images(videos, checkpoint):
    path = videos / "val" / "jump" / "whole.mkv"
    done = programs.run("classify", f"--video={path}", *checkpoint, "--fps=12")
    assert done.returncode == 2
    assert "--fps=12 is for folders of images" in done.stderr


def test_classify_many_videos(videos, checkpoint, tmp_path):
    out = tmp_path / "labels.csv"
    done = programs.run("classify", videos, *checkpoint, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "3 of 4 videos are labelled; 1 could not be; 1 have damag" in done.stderr
    damaged, whole, images, thin = rows_of(out)
    assert damaged["damage"] == DAMAGE and whole["damage"] == ""
    assert images["frames"] == "20"
    assert LONG_SIDE in thin["error"]


def test_features(videos, checkpoint, tmp_path):
    flags = (*checkpoint, f"--out={tmp_path}", "--window=16", "--tail=drop")
    for _ in range(2):  # Called again, it knows what it wrote.
        done = programs.run("features", videos, *flags)
        assert done.returncode == 0, done.stderr
        rows = {row["name"]: row for row in rows_of(tmp_path / "index.csv")}
        assert rows["val/jump/damaged"]["damage"] == DAMAGE
        assert rows["val/jump/whole"]["damage"] == ""
        assert rows["val/wave/images"]["file"] == "val/wave/images.npz"
        assert LONG_SIDE in rows["val/wave/thin"]["error"]


def test_evaluate(videos, checkpoint, tmp_path):
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    flags = (
        "--dataset=folder", f"--videos={videos}", *checkpoint, *SIZES,
        f"--out={out}", f"--json={figures}", "--max_damaged=0.5",
    )  # fmt: skip
    done = programs.run("evaluate", *flags)
    assert done.returncode == 0, done.stderr
    assert "3 clips; 1 could not be read" in done.stdout
    assert "; 1 have damaged frames; see" in done.stdout
    rows = {row["id"]: row for row in rows_of(out / "predictions.csv")}
    assert rows["damaged_0"]["damage"] == DAMAGE
    assert LONG_SIDE in rows["thin_0"]["error"]
    assert json.loads(figures.read_text())["damaged"] == 1


def test_prepare(videos, tmp_path):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    done = programs.run(
        "prepare", "--dataset=folder", f"--videos={videos}", f"--out={tmp_path}",
        "--flow=none", "--short_side=36", "--num_shards=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 clips in 1 record files" in done.stdout
    assert "0 missing, 1 with damaged frames; see" in done.stdout
    (facts,) = json.loads((tmp_path / "report.json").read_text())["records"].values()
    (damaged,) = facts["damaged"]
    assert damaged["id"] == "damaged_0" and damaged["missing_frames"] == 3
    assert LONG_SIDE in str(facts["failures"])


def test_fvd(videos, checkpoint, tmp_path):
    flags = (*checkpoint, "--num_frames=9", "--max_damaged=0.5")
    out = tmp_path / "fvd.json"
    done = programs.run("fvd", videos, videos, *flags, f"--json={out}")
    assert done.returncode == 0, done.stderr
    # The first nine frames of the damaged video are whole.
    results = json.loads(out.read_text())
    assert results["real"]["left_out"] == 1 and results["real"]["damaged"] == 0


def test_train(videos, tmp_path):
    done = programs.run(
        "train", "--recipe=finetune_full", "--init=none", "--model=c3d",
        f"--width={trainings.WIDTH}", "--batch_size=2", "--steps=2",
        "--strategy=one_device", "--dataset=folder", f"--videos={videos}",
        "--split=val", "--val_split=none", f"--out={tmp_path}",
    )  # fmt: skip
    # One clip of four is more than --max_damaged.
    assert done.returncode == 2
    assert LONG_SIDE in done.stderr


@pytest.fixture
def piped(videos, monkeypatch):
    """The whole video comes through a pipe, as of `cat video | i3d ...`."""
    receiver, sender = os.pipe()

    def send():
        with open(sender, "wb") as pipe, contextlib.suppress(BrokenPipeError):
            pipe.write((videos / "val" / "jump" / "whole.mkv").read_bytes())

    thread = threading.Thread(target=send)
    with open(receiver) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        thread.start()
        yield
    thread.join()


def test_classify_standard_input(piped, videos, checkpoint):
    done = programs.run("classify", "--video=-", *checkpoint)
    assert done.returncode == 0, done.stderr
    path = videos / "val" / "jump" / "whole.mkv"
    assert done.stdout == programs.run("classify", path, *checkpoint).stdout


@pytest.mark.parametrize(
    ("window", "times"), [(16, [[0, 0.64], [0.64, 0.8]]), (0, [[0, 0.8]])], ids=str
)
def test_features_of_standard_input(piped, checkpoint, tmp_path, window, times):
    flags = (*checkpoint, f"--window={window}", f"--out={tmp_path}")
    done = programs.run("features", "-", *flags)
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "stdin.npz")["times"].tolist() == times
