"""Folders per class and split; the files are empty."""

import os

import pytest
from trees import tree

from kinetics_i3d_tf2.data import datasets
from kinetics_i3d_tf2.data.listings import splits
from kinetics_i3d_tf2.data.records.folder import RecordFolder


def read(folder, names):
    return datasets.read_folder(tree(folder, dict.fromkeys(names, "")))


@pytest.mark.parametrize(
    ("training", "validation", "test"),
    [
        ("training", "validation", "testing"),
        ("Train", "Val", "Test"),
        ("TRAINING", "valid", "eval"),
        ("train", "dev", "test"),
        ("training", "validate", "TESTING"),
    ],
)
def test_the_usual_names_of_splits(tmp_path, training, validation, test):
    names = [f"{split}/{c}/{c}.mp4" for split in (training, validation, test)
             for c in ("jump", "wave")]  # fmt: skip
    table = read(tmp_path, names)
    assert table.class_names == ("jump", "wave")
    assert sorted(table.splits()) == sorted((training, validation, test))
    for meaning, name in (("train", training), ("val", validation), ("test", test)):
        assert {c.split for c in table.split(meaning)} == {name}
        assert len(table.split(meaning)) == 2


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("train", ["training", "train"], "train"),
        ("val", ["Validation", "test"], "Validation"),
        ("validation", ["dev"], "dev"),
        ("fold1", ["Fold1"], "Fold1"),
        ("fold1", ["fold2"], None),
        ("test", ["train", "val"], None),
    ],
)
def test_a_split_of_the_same_meaning(name, names, found):
    assert splits.find_split(name, names) == found


def test_records_of_a_split_of_the_same_meaning(tmp_path):
    tree(tmp_path, {"label_map.txt": "a\n", "x_Training_25fps_rgb-00000-of-00001": ""})
    folder = RecordFolder(tmp_path)
    with pytest.raises(ValueError, match="no records in"):  # The file is empty.
        folder.split("train")
    with pytest.raises(ValueError, match="no split 'val' in .*, only: Training"):
        folder.split("val")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["fold1/jump/a.mp4", "fold1/wave/b.mp4", "fold2/jump/c.mp4",
             "fold2/wave/d.mp4"],
            r"fold1, fold2 all hold folders of the same names \(jump, wave\)",
        ),
        (
            ["jump/train/a.mp4", "jump/val/b.mp4", "wave/train/c.mp4",
             "wave/val/d.mp4"],
            r"jump, wave all hold folders of the same names \(train, val\)",
        ),
        (
            ["jump/train/a.mp4", "wave/train/c.mp4"],
            r"jump, wave all hold folders of the same names \(train\)",
        ),
        (["train/a.mp4", "test/b.mp4"], "holds videos in test, train, which are spl"),
        (["training/a.mp4"], "holds videos in training, which are splits"),
        (
            ["v/train/jump/a.mp4", "v/val/jump/b.mp4"],
            "holds one folder, v, with the splits in it; name that folder",
        ),
    ],
    ids=["folds", "split-below-class", "one-split-below", "no-classes", "one-split",
         "folder-above"],
)  # fmt: skip
def test_what_is_no_class(tmp_path, names, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, names)


@pytest.mark.parametrize(
    "names",
    [
        ["jump/x/a.mp4", "wave/x/b.mp4"],  # One folder cannot be the classes.
        ["jump/x/a.mp4", "jump/y/a.mp4", "wave/x/b.mp4"],
        ["jump/x/a.mp4", "jump/y/a.mp4"],
        ["jump/a.mp4", "test/b.mp4"],  # "test" among others is a class.
    ],
)
def test_what_may_be_classes(tmp_path, names):
    assert len(read(tmp_path, names)) == len(names)


def test_a_split_may_be_a_link_to_another(tmp_path):
    tree(tmp_path, {"train/jump/a.mp4": "", "train/wave/b.mp4": ""})
    (tmp_path / "val").symlink_to("train")
    table = datasets.read_folder(tmp_path)
    assert len(table.split("train")) == len(table.split("val")) == 2


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\nb", b"a\xe2\x80\xa8b"])
def test_class_folders_that_no_label_map_can_name(tmp_path, name):
    folder = os.path.join(os.fsencode(tmp_path), name)
    os.mkdir(folder)
    with open(os.path.join(folder, b"a.mp4"), "wb"):
        pass
    with pytest.raises(ValueError, match="class '.*': the name (is not UTF-8|has a l)"):
        datasets.read_folder(tmp_path)


def test_a_folder_that_may_not_be_listed_is_named(tmp_path, caplog, monkeypatch):
    tree(tmp_path, {"jump/a.mp4": "", "wave/b.mp4": "", "lost+found/c.mp4": ""})
    scandir = os.scandir

    def denied(path):
        if os.fspath(path).endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)  # Tests may run as root.
    assert len(datasets.read_folder(tmp_path)) == 2
    assert "1 folders that may not be listed" in caplog.text
    assert "lost+found" in caplog.text
