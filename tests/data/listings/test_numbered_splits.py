"""UCF101 and HMDB51, on small trees of empty files."""

import pytest
from trees import tree

from kinetics_i3d_tf2.data import datasets
from kinetics_i3d_tf2.data.listings.numbered_splits import read_hmdb51, read_ucf101

UCF_LISTS = {
    "classInd.txt": "1 ApplyEyeMakeup\n2 HandstandPushups\n",
    "trainlist01.txt": "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\n"
    "HandstandPushups/v_HandStandPushups_g08_c01.avi 2\n",
    "testlist01.txt": "HandstandPushups/v_HandStandPushups_g01_c01.avi\n\n",
}


@pytest.mark.parametrize("spelling", ["HandStandPushups", "HandstandPushups"])
def test_ucf101(tmp_path, spelling):
    lists = tree(tmp_path / "lists", UCF_LISTS)
    files = [
        "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi",
        f"HandstandPushups/v_{spelling}_g08_c01.avi",
        f"HandstandPushups/v_{spelling}_g01_c01.avi",
    ]
    videos = tree(tmp_path / "videos", dict.fromkeys(files, ""))
    table = datasets.read("ucf101", videos, lists)
    assert [(c.label, c.index, c.split) for c in table] == [
        ("ApplyEyeMakeup", 0, "train"),
        ("HandstandPushups", 1, "train"),
        ("HandstandPushups", 1, "test"),
    ]
    assert [c.path for c in table] == [str(videos / name) for name in files]
    assert table.splits() == ("train", "test")
    assert [clip.split for clip in table.split("test")] == ["test"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("classInd.txt", "one Apply\n", r"classInd\.txt, line 1: expected 'number n"),
        ("classInd.txt", "1 A\n3 B\n", "not numbered from 1 without a gap"),
        ("trainlist01.txt", "\nNo/v.avi 1\n", r"trainlist01\.txt, line 2: .*'No/v"),
        (
            "trainlist01.txt",
            "HandstandPushups/v.avi 1\n",
            "line 1: expected 'Class/video.avi' with a class of classInd.txt",
        ),
    ],
    ids=["number", "gap", "class", "index"],
)
def test_ucf101_malformed(tmp_path, name, content, message):
    lists = tree(tmp_path / "lists", UCF_LISTS | {name: content})
    with pytest.raises(ValueError, match=message):
        read_ucf101(lists, tree(tmp_path / "videos", {"v.avi": ""}))


def test_hmdb51(tmp_path):
    lists = tree(
        tmp_path / "lists",
        {
            "wave_test_split2.txt": "a_#1_(x);y.avi 1 \nb.avi 0 \nc.avi 2 \n",
            "brush_hair_test_split2.txt": "same.avi 1\n",
            "brush_hair_test_split1.txt": "other.avi 1\n",
        },
    )
    files = ["wave/a_#1_(x);y.avi", "wave/b.avi", "wave/c.avi", "brush_hair/same.avi"]
    files += ["wave/same.avi", "brush_hair/other.avi"]
    videos = tree(tmp_path / "videos", dict.fromkeys(files, ""))
    table = datasets.read("hmdb51", videos, lists, split_number=2)
    assert table.class_names == ("brush_hair", "wave")
    assert [(c.path.removeprefix(f"{videos}/"), c.index, c.split) for c in table] == [
        ("brush_hair/same.avi", 0, "train"),
        ("wave/a_#1_(x);y.avi", 1, "train"),
        ("wave/c.avi", 1, "test"),
    ]


def test_hmdb51_never_takes_the_video_of_another_class(tmp_path):
    lists = tree(
        tmp_path / "lists",
        {"hit_test_split1.txt": "a.avi 1\n", "wave_test_split1.txt": "a.avi 1\n"},
    )
    table = read_hmdb51(lists, tree(tmp_path / "videos", {"hit/a.avi": ""}))
    assert [clip.label for clip in table] == ["hit"]
    assert table.missing == ("wave/a.avi",)


def test_hmdb51_in_one_folder(tmp_path):
    lists = tree(tmp_path / "lists", {"wave_test_split1.txt": "a.avi 1\n"})
    assert len(read_hmdb51(lists, tree(tmp_path / "videos", {"a.avi": ""}))) == 1


def test_hmdb51_malformed(tmp_path):
    lists = tree(tmp_path / "lists", {"wave_test_split1.txt": "a.avi 1\nb.avi 3\n"})
    videos = tree(tmp_path / "videos", {"wave/a.avi": ""})
    with pytest.raises(ValueError, match=r"wave_test_split1\.txt, line 2: .*'b.avi 3'"):
        read_hmdb51(lists, videos)


@pytest.mark.parametrize("number", [0, 4, "1"])
@pytest.mark.parametrize("kind", ["ucf101", "hmdb51"])
def test_split_number(tmp_path, kind, number):
    with pytest.raises(ValueError, match="split_number must be 1, 2 or 3"):
        datasets.read(kind, tmp_path, tmp_path, split_number=number)
