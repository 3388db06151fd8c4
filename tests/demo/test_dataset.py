"""The demonstration's dataset: what is in it, and how it is made."""

import os
import signal

import cv2
import numpy as np
import programs
import pytest
from conftest import ROOT

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.demo import dataset as demo
from kinetics_i3d_tf2.demo import drawn_folder, scenes

NAMES = sorted(action.name for action in scenes.ACTIONS)


def make(folder, train=8, val=0, **options):
    i3d.make_demo_dataset(folder, train=train, val=val, **{"processes": 1, **options})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Folder of 24 training clips and 32 others."""
    folder = tmp_path_factory.mktemp("demo") / "clips"
    make(folder, 24, 32, processes=2)
    return folder


def test_the_readers_take_it(dataset):
    table = i3d.read_folder(dataset)
    assert sorted(table.class_names) == NAMES
    for split, count in (("train", 24), ("val", 32)):
        clips = table.split(split).clips
        labels = np.bincount([clip.index for clip in clips], minlength=8)
        assert labels.tolist() == [count // 8] * 8
    frames = i3d.read_video(dataset / "val" / "pushing" / "0003.mp4")
    assert frames.shape[1:] == (256, 256, 3)
    assert scenes.FRAMES[0] <= len(frames) <= scenes.FRAMES[1]


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("opening a door/0001.mp4", "demo_opening_a_door.mp4"),
        ("picking up/0003.mp4", "demo_picking_up.mp4"),
    ],
)
def test_the_drawings_have_not_changed(dataset, name, sample):
    """The clips in data/ are of the dataset that the weights were trained on."""
    frames = i3d.read_video(dataset / "val" / name).astype(int)
    first = i3d.read_video(ROOT / "data" / sample)
    assert frames.shape == first.shape
    # Other versions of the encoder may round otherwise.
    assert np.abs(frames - first).mean() < 0.1
    assert np.abs(frames - first[::-1]).mean() > 1


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


def test_files_depend_on_the_seed_alone(dataset, tmp_path, hashes):
    """Not on the number of processes, nor on how many clips are drawn in a call."""
    one = tmp_path / "one"
    for count in (8, 16):
        make(one, count)
        assert len(list(one.rglob("*.mp4"))) == count
    make(tmp_path / "other", 8, seed=1)
    found, other = hashes(one), hashes(tmp_path / "other")
    assert found.items() <= hashes(dataset).items()
    assert len(other) == 9 and other.keys() < found.keys()
    assert not set(found.values()) & set(other.values())
    with pytest.raises(ValueError, match="0001.mp4: is not part of this dataset"):
        make(one, 8)
    with pytest.raises(ValueError, match="was created with seed 0; use the same seed"):
        make(one, 16, seed=5)


def test_killed_and_started_again(tmp_path, dataset, hashes):
    """Killed with its children at work, it leaves whole files, and resumes."""
    programs.stop_halfway(
        signal.SIGKILL,
        tmp_path,
        lambda: len([*tmp_path.rglob("[!.]*.mp4")]),
        24,
        "demo",
        "make",
        tmp_path,
        "--train=24",
        "--val=0",
        least=10,
    )
    whole = hashes(dataset)
    kept = {k: v for k, v in hashes(tmp_path).items() if "/." not in k}
    assert 10 <= len(kept) < 25
    assert kept.items() <= whole.items()
    times = {name: os.stat(tmp_path / name).st_mtime_ns for name in kept}
    make(tmp_path, 24)
    now = hashes(tmp_path)
    assert len(now) == 25
    assert now.items() <= whole.items()
    assert times == {k: os.stat(tmp_path / k).st_mtime_ns for k in kept}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 12}, "train must be a multiple of 8, .* Received: 12"),
        ({"train": -8}, "and at least 0. Received: -8"),
        ({"train": 0}, "train and val are both 0"),
        ({"seed": -1}, "seed must be at least 0. Received: -1"),
        ({"processes": 0}, "processes must be at least 1. Received: 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_values_out_of_range(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "clips", **options)
    assert not (tmp_path / "clips").exists()


def test_other_content_is_left_alone(tmp_path):
    (tmp_path / "train" / "pushing").mkdir(parents=True)
    video = tmp_path / "train" / "pushing" / "0000.mp4"
    video.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"contains videos but no seed\.txt"):
        make(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt: is not part of this dataset"):
        make(tmp_path)
    with pytest.raises(ValueError, match=r"0000\.mp4: is a file; use a folder"):
        make(video)
    assert video.read_bytes() == b"mine"


def test_the_splits_follow_from_their_own_keys():
    plan = demo.make_plan({"train": 16, "val": 8})
    assert len(plan) == len(set(plan.values())) == 24
    assert plan["val/pulling/0000.mp4"] == (1, 7, 0)


def test_two_seeds_at_once(tmp_path):
    """The second to take the lock finds the first one's seed."""
    seen = []

    def checked_before(folder, names, seed, _check=drawn_folder._check):
        is_new = _check(folder, names, seed)
        if not seen:
            seen.append(seed)
            os.mkdir(folder)
            (tmp_path / "clips" / "seed.txt").write_text("1\n")
        return is_new

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn_folder, "_check", checked_before)
        with pytest.raises(ValueError, match="was created with seed 1; use the same"):
            make(tmp_path / "clips")
    assert not list((tmp_path / "clips").rglob("*.mp4"))
