"""CSVs of videos with several labels; those of clips are in test_datasets."""

import pytest

from kinetics_i3d_tf2 import read_csv, read_intervals
from kinetics_i3d_tf2.data import clips
from kinetics_i3d_tf2.data.intervals import Interval


@pytest.fixture
def read(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()

    def read(text, reader=read_intervals, **options):
        path = tmp_path / "labels.csv"
        path.write_text(text)
        return reader(path, **options)

    return read


EXPECTED = {
    "a.mp4": [Interval("sit", 1.5, 4.0, 0), Interval("wave", 2.0, 3.0, 1)],
    "b.mp4": [Interval("wave", None, None, 1)],
}


@pytest.mark.parametrize(
    "text",
    [
        "path,label,start,end\na.mp4,sit,1.5,4\nb.mp4,wave,,\na.mp4,wave,2,3\n",
        "video,label,start,end\na.mp4,sit,1.5,4\na.mp4,wave,2,3\nb.mp4,wave,,\n",
        "path,labels,start,end\na.mp4,sit|wave,1.5|2,4|3\nb.mp4,wave,,\n",
    ],
    ids=["rows", "video", "labels"],
)
def test_several_labels_a_video(read, tmp_path, text):
    table = read(text)
    assert table.class_names == ("sit", "wave")
    found = {c.path.rpartition("/")[2]: list(c.intervals) for c in table}
    assert found == EXPECTED
    assert {(clip.label, clip.index) for clip in table} == {("", -1)}


def test_without_times_labels_hold_in_the_whole_video(read):
    (clip,) = read("path,labels\na.mp4,wave|sit\n")
    assert [(i.label, i.start, i.end) for i in clip.intervals] == [
        ("wave", None, None),
        ("sit", None, None),
    ]


def test_a_video_without_labels(read):
    first, second = read("path,label\na.mp4,sit\nb.mp4,\n")
    assert (len(first.intervals), second.intervals) == (1, ())


def test_class_names_of_another_list(read):
    table = read("path,label\na.mp4,Wave\n", class_names=("x", "wave"))
    assert table.clips[0].intervals == (Interval("wave", index=1),)
    assert table.class_names == ("x", "wave")


def test_a_name_that_looks_like_several_labels(read, caplog):
    assert read("path,label\na.mp4,sit|wave\n").class_names == ("sit|wave",)
    assert "separates labels in a column named labels" in caplog.text


def test_tables_with_other_classes_are_joined(read):
    joined = clips.join(
        [read("path,label\na.mp4,sit\n"), read("path,label\nb.mp4,a|b\n")]
    )
    assert joined.class_names == ("a|b", "sit")
    assert [c.intervals[0].index for c in joined] == [1, 0]


def test_a_clip_survives_json(read):
    (clip,) = read("path,labels,start\na.mp4,wave|sit,1|\n")
    json_values = [*clip[:-1], [list(interval) for interval in clip.intervals]]
    assert clips.Clip.from_json(json_values) == clip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label,start,end\na.mp4,x,1,2\na.mp4,x,3,2\n", "line 3.*end before"),
        ("path,label,start,end\na.mp4,x,-1,2\n", "line 2.*at least 0.*Received: -1.0"),
        ("path,label,start,end\na.mp4,x,one,2\n", "line 2.*numbers of seconds.*'one'"),
        ("path,label,start\na.mp4,,1\n", "line 2: a label is empty"),
        ("path,labels\na.mp4,x||y\n", "line 2: a label is empty"),
        ("path,labels,start,end\na.mp4,x|y,1,2\n", "line 2.*each of the 2 labels"),
        (
            "path,label\na.mp4,x\na.mp4,wavee\n",
            "line 3: 'wavee' .is 'wave' meant.* 2 class",
        ),
        ("path,label\n,x\n", "line 2: the path is empty"),
        ("path,lable\na.mp4,x\n", "line 1.*is 'label' meant"),
        ("label,start\nx,1\n", "line 1: expected the columns path and label"),
        (
            "path,label,split\na.mp4,x,train\na.mp4,x,val\n",
            "line 3: .*a.mp4 is of the split 'val', and of 'train' in .*line 2",
        ),
    ],
    ids=(
        "reversed|negative|no number|times alone|empty|counts|unknown|no path|misspelt|"
        "no columns|two splits"
    ).split("|"),
)
def test_malformed_rows(read, text, message):
    names = ("x", "wave") if "wavee" in text else None
    with pytest.raises(ValueError, match=message):
        read(text, class_names=names)


def test_labels_with_times_are_not_for_a_list_of_clips(read):
    with pytest.raises(ValueError, match=r"line 2: .*--dataset=intervals"):
        read("path,labels\na.mp4,x|y\n", reader=read_csv)
