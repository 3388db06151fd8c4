"""The demonstration's dataset, made by the real program."""

import hashlib
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import programs
import pytest
from conftest import ROOT

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.cli import demo
from kinetics_i3d_tf2.demo import scenes

NAMES = sorted(action.name for action in scenes.ACTIONS)


def make(folder, *arguments):
    return programs.run("demo", "make", folder, *arguments)


def hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Folder of 96 training clips and 64 others."""
    folder = tmp_path_factory.mktemp("demo") / "clips"
    done = subprocess.run(
        [sys.executable, "-m", "kinetics_i3d_tf2", "demo", "make", folder]
        + ["--train=96", "--val=64"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"96 clips for training and 64 for validation, of 8 classes, in {folder}\n"
    )
    assert "160/160" in done.stderr
    return folder


def test_the_readers_take_it(dataset):
    table = i3d.read_folder(dataset)
    assert sorted(table.class_names) == NAMES
    for split, count in (("train", 96), ("val", 64)):
        clips = table.split(split).clips
        labels = np.bincount([clip.index for clip in clips], minlength=8)
        assert labels.tolist() == [count // 8] * 8
    frames = i3d.read_video(dataset / "val" / "pushing" / "0003.mp4")
    assert frames.shape[1:] == (256, 256, 3)
    assert scenes.FRAMES[0] <= len(frames) <= scenes.FRAMES[1]


def test_no_two_clips_share_a_scene(dataset):
    """Neither the splits nor the two of a pair."""
    first = [
        cv2.resize(i3d.read_video(path)[0], (16, 16), interpolation=cv2.INTER_AREA)
        for path in sorted(dataset.rglob("000[01].mp4"))
    ]
    for index, one in enumerate(first):
        for other in first[:index]:
            assert np.abs(one.astype(int) - other).mean() > 3


def single_frames(dataset, split):
    """Outlines of four frames of each clip, and the clips' classes."""
    describe = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9).compute
    features, labels = [], []
    for label, action in enumerate(scenes.ACTIONS):
        for path in sorted((dataset / split / action.name).glob("*.mp4")):
            frames = i3d.read_video(path)
            chosen = frames[np.linspace(0, len(frames) - 1, 4).astype(int)]
            small = [
                cv2.resize(f[16:240, 16:240], (64, 64), interpolation=cv2.INTER_AREA)
                for f in chosen
            ]
            features.append([describe(frame) for frame in small])
            labels.append(label)
    return np.array(features), np.array(labels)


def test_single_frames_tell_the_pairs_and_nothing_within_them(dataset):
    """Ridge regression of frames, with scores averaged over a clip.

    Both bounds are far from what chance gives, and the clips follow from a seed.
    """
    features, labels = single_frames(dataset, "train")
    unseen, truth = single_frames(dataset, "val")
    mean = features.mean((0, 1))
    x = (features - mean).reshape(-1, features.shape[-1])
    targets = np.repeat(np.eye(8)[labels], features.shape[1], axis=0)
    weights = x.T @ np.linalg.solve(x @ x.T + 3 * np.eye(len(x)), targets - 1 / 8)
    scores = ((unseen - mean) @ weights).mean(1)
    pairs = scores.reshape(-1, 4, 2)
    is_right_pair = pairs.max(-1).argmax(-1) == truth // 2
    within = pairs[np.arange(len(truth)), truth // 2]
    is_right_within = within.argmax(-1) == truth % 2
    assert is_right_pair.mean() > 0.8
    assert 0.3 < is_right_within.mean() < 0.7


def test_the_same_seed_gives_the_same_files(tmp_path):
    made = []
    for name, *arguments in (
        ("one", "--processes=1"),
        ("two", "--processes=2"),
        ("other", "--seed=1"),
    ):
        done = make(tmp_path / name, "--train=8", "--val=8", *arguments)
        assert done.returncode == 0, done.stderr
        made.append(hashes(tmp_path / name))
    assert len(made[0]) == 17
    assert made[0] == made[1]
    assert made[0].keys() == made[2].keys()
    assert not set(made[0].values()) & set(made[2].values())


def test_killed_and_started_again(tmp_path, dataset):
    """Killed with its children at work, it leaves whole files, and goes on."""
    flags = ("--train=48", "--val=0")
    programs.stop_halfway(
        signal.SIGKILL,
        tmp_path,
        lambda: len([*tmp_path.rglob("[!.]*.mp4")]),
        48,
        "demo",
        "make",
        tmp_path,
        *flags,
        least=10,
    )
    # A clip is the same whatever else is asked for.
    whole = hashes(dataset)
    kept = {k: v for k, v in hashes(tmp_path).items() if "/." not in k}
    assert 10 <= len(kept) < 49
    assert kept.items() <= whole.items()
    times = {name: os.stat(tmp_path / name).st_mtime_ns for name in kept}
    done = make(tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    now = hashes(tmp_path)
    assert len(now) == 49
    assert now.items() <= whole.items()
    assert times == {k: os.stat(tmp_path / k).st_mtime_ns for k in kept}


def test_more_clips_are_added_to_those_that_are_there(tmp_path):
    for count in ("8", "16"):
        done = make(tmp_path, f"--train={count}", "--val=0")
        assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("*.mp4"))) == 16
    done = make(tmp_path, "--train=8", "--val=0")
    assert done.returncode == 2
    assert "0001.mp4: is not of the dataset that is asked for" in done.stderr
    done = make(tmp_path, "--train=16", "--val=0", "--seed=5")
    assert done.returncode == 2
    assert "was begun with --seed=0; go on with that, or" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No command; expected: i3d demo make DIR"),
        (("mkae", "x"), "Unknown command 'mkae'; expected: python"),
        (
            ("make",),
            "No folder; expected: i3d demo make DIR",
        ),
        (("make", "x", "y"), "Unknown argument 'y'; expected: python"),
        (("make", "x", "--train=12"), "--train must be a multiple of 8"),
        (("make", "x", "--train=0", "--val=0"), "There is nothing to make"),
        (("make", "x", "--seed=-1"), "-1 is not a non-negative integer"),
        (("make", "setup.py"), "setup.py: is a file; name a folder"),
        (("make", "tests"), "is not of the dataset that is asked for; name another"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_mistakes_end_with_one_line(arguments, message):
    done = programs.run("demo", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (ROOT / "x").exists()


def test_a_folder_of_other_videos(tmp_path):
    (tmp_path / "train" / "pushing").mkdir(parents=True)
    video = tmp_path / "train" / "pushing" / "0000.mp4"
    video.write_bytes(b"mine")
    done = make(tmp_path, "--train=8")
    assert done.returncode == 2
    assert "holds videos and no seed.txt" in done.stderr
    assert video.read_bytes() == b"mine"


def test_the_splits_follow_from_their_own_keys():
    plan = demo.make_plan({"train": 16, "val": 8})
    assert len(plan) == len(set(plan.values())) == 24
    assert plan["val/pulling/0000.mp4"] == (1, 7, 0)
