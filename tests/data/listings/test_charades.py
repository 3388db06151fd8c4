"""Charades' lists, on a small tree of the same shape."""

import pytest

from kinetics_i3d_tf2 import read_charades
from kinetics_i3d_tf2.data import clips, datasets
from kinetics_i3d_tf2.data.intervals import Interval

CLASSES = "c000 Holding some clothes\nc001 Putting clothes somewhere\nc002 Sitting\n"
HEADER = "id,subject,scene,script,actions,length\n"
TRAIN = (
    '46GP8,HR43,Kitchen,"A person cooks, and sits.",c002 11.90 21.20;c000 0.00 12.60,'
    "24.83\n"
    "N11GT,0KZ7,Stairs,Nothing happens.,,18.33\n"
    "ZZZZZ,0KZ7,Stairs,Its video is missing.,c001 0 1,9.5\n"
)
TEST = "YSKX3,A,B,C,c001 3.00 40.00,32.21\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "Charades_v1_classes.txt").write_text(CLASSES)
    (tmp_path / "Charades_v1_train.csv").write_text(HEADER + TRAIN)
    (tmp_path / "Charades_v1_test.csv").write_text(HEADER + TEST)
    (tmp_path / "Charades_v1").mkdir()
    for name in ("46GP8", "N11GT", "YSKX3"):
        (tmp_path / "Charades_v1" / f"{name}.mp4").touch()
    return tmp_path


def test_actions_with_their_times(tree):
    table = read_charades(tree / "Charades_v1_train.csv", tree / "Charades_v1")
    assert table.class_names == (
        "Holding some clothes",
        "Putting clothes somewhere",
        "Sitting",
    )
    first, second = table
    assert first.path == str(tree / "Charades_v1" / "46GP8.mp4")
    assert first.intervals == (
        Interval("Sitting", 11.9, 21.2, 2),
        Interval("Holding some clothes", 0.0, 12.6, 0),
    )
    assert second.intervals == ()
    assert table.splits() == ("train",) and table.missing == ("ZZZZZ",)


def test_both_lists(tree):
    lists = [tree / f"Charades_v1_{name}.csv" for name in ("train", "test")]
    tables = [datasets.read("charades", tree / "Charades_v1", x) for x in lists]
    joined = clips.join(tables)
    assert joined.splits() == ("train", "test")
    assert joined.clips[-1].intervals[0].index == 1


def test_actions_after_the_end_are_counted(tree, caplog):
    path = tree / "Charades_v1_train.csv"
    path.write_text(HEADER + "46GP8,a,b,c,c000 31 32;c001 1 99,30.0\n")
    read_charades(path, tree)
    assert "1 actions begin after the end of their video" in caplog.text
    assert "line 2" in caplog.text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "46GP8,a,b,c,c000 3.0 2.0,30",
            "line 2: a label must not end before it starts",
        ),
        (
            "46GP8,a,b,c,c000 -3.0 2.0,30",
            "line 2: seconds of a label must be at least 0",
        ),
        ("46GP8,a,b,c,c000 3.0,30", "line 2: an action is a code.*'c000 3.0'"),
        ("46GP8,a,b,c,c000 x 3.0,30", "line 2: an action is a code.*'c000 x 3.0'"),
        ("46GP8,a,b,c,c157 1 3,30", "line 2: the action c157 is not one of the 3 of"),
        ("46GP8,a,b,c,c001 1 3,long", "line 2: length is a number of seconds.*'long'"),
    ],
    ids="reversed|negative|short|no number|unknown|length".split("|"),
)
def test_malformed_rows(tree, row, message):
    path = tree / "Charades_v1_train.csv"
    path.write_text(HEADER + row + "\n")
    with pytest.raises(ValueError, match=message):
        read_charades(path, tree)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c000 Sitting\n157 Standing\n", "line 2: expected a code and a name"),
        ("c000 Sitting\nc000 Standing\n", "line 2: the class is listed twice"),
    ],
    ids=["malformed", "twice"],
)
def test_malformed_classes(tree, text, message):
    (tree / "Charades_v1_classes.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_charades(tree / "Charades_v1_train.csv", tree)


def test_without_a_list_of_classes(tree):
    (tree / "Charades_v1_classes.txt").unlink()
    with pytest.raises(FileNotFoundError, match="Charades_v1_classes.txt"):
        read_charades(tree / "Charades_v1_train.csv", tree)
