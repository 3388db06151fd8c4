"""Dataset tables, on small trees that the tests make; the files are empty."""

import pytest
from trees import tree

from kinetics_i3d_tf2 import class_names
from kinetics_i3d_tf2.data import datasets


def rows(table):
    """What a table says, without the folder."""
    return [
        (c.path.rsplit("/", 1)[-1], c.label, c.index, c.start, c.end, c.split)
        for c in table
    ]


K400 = "label,youtube_id,time_start,time_end,split,is_cc\n"
K700 = "label,youtube_id,time_start,time_end,split\n"
ID = "---QUuC4vJs"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (K400, f"testifying,{ID},84,94,validate,0"),
        (K700, f"testifying,{ID},84,94,validate"),
        (K400, f'"testifying",{ID},84,94,validate,1'),
        (K700, f'"""testifying""",{ID},84.0,94.0,validate'),
        (K700, f" Testifying ,{ID},84,94,validate"),
        (
            "split,time_end,time_start,youtube_id,label\r\n",
            f"validate,94,84,{ID},testifying",
        ),
        ("\ufeff" + K700, f"testifying,{ID},84,94,validate"),
    ],
    ids=["k400", "k700", "quoted", "twice", "spaces", "order", "bom"],
)
@pytest.mark.parametrize("place", ["", "testifying/", "val/testifying/"])
@pytest.mark.parametrize("suffix", ["mp4", "webm", "MKV"])
def test_kinetics(tmp_path, header, row, place, suffix):
    videos = tree(tmp_path / "videos", {f"{place}{ID}_000084_000094.{suffix}": ""})
    csv = tree(tmp_path, {"validate.csv": f"{header}{row}\n"}) / "validate.csv"
    table = datasets.read_kinetics(csv, videos)
    index = class_names(400).index("testifying")
    name = f"{ID}_000084_000094.{suffix}"
    assert rows(table) == [(name, "testifying", index, None, None, "validate")]
    assert table.class_names == class_names(400)
    (clip,) = table
    assert (clip.media_id, clip.example_id) == (ID, f"{ID}_84")


def test_kinetics_600_label_of_other_case(tmp_path):
    """The released map has 'passing american football (not in game)'."""
    videos = tree(tmp_path / "videos", {f"{ID}_000001_000011.mp4": ""})
    text = K400 + f"passing American football (not in game),{ID},1,11,val,0\n"
    csv = tree(tmp_path, {"val.csv": text}) / "val.csv"
    (clip,) = datasets.read("kinetics600", videos, csv)
    assert clip.label == class_names(600)[clip.index]
    assert clip.label.casefold() == "passing american football (not in game)"


def test_kinetics_700_indices_are_those_of_the_names_in_order(tmp_path):
    names = [f"{letter * 11}_000001_000011.mp4" for letter in "abc"]
    videos = tree(tmp_path / "videos", dict.fromkeys(names, ""))
    lines = [f"{n},{i * 11},1,11,train" for n, i in zip("ZYZ", "abc", strict=True)]
    csv = tree(tmp_path, {"train.csv": K700 + "\n".join(lines)}) / "train.csv"
    table = datasets.read("kinetics700", videos, csv)
    assert [clip.index for clip in table] == [1, 0, 1]
    assert table.class_names == ("Y", "Z")


def test_kinetics_test_file_without_labels(tmp_path):
    videos = tree(tmp_path / "videos", {f"{ID}_000084_000094.mp4": ""})
    text = f"youtube_id,time_start,time_end,split\n{ID},84,94,test\n"
    csv = tree(tmp_path, {"test.csv": text}) / "test.csv"
    assert rows(datasets.read_kinetics(csv, videos)) == [
        (f"{ID}_000084_000094.mp4", "", -1, None, None, "test")
    ]


def test_kinetics_untrimmed_video(tmp_path):
    videos = tree(tmp_path / "videos", {f"{ID}.mp4": ""})
    text = K700 + f"testifying,{ID},84,94,train"
    csv = tree(tmp_path, {"train.csv": text}) / "train.csv"
    (clip,) = datasets.read_kinetics(csv, videos)
    assert (clip.start, clip.end, clip.example_id) == (84, 94, f"{ID}_84")


def test_kinetics_ids_that_differ_in_case(tmp_path):
    ids = ["abcdefghijk", "ABCDEFGHIJK"]
    names = [f"{i}_000001_000011.mp4" for i in ids]
    videos = tree(tmp_path / "videos", dict.fromkeys(names, ""))
    text = K700 + "".join(f"testifying,{i},1,11,train\n" for i in ids)
    csv = tree(tmp_path, {"train.csv": text}) / "train.csv"
    assert [row[0] for row in rows(datasets.read_kinetics(csv, videos))] == names


@pytest.fixture
def incomplete(tmp_path):
    """A list of three videos, of which one is there."""
    videos = tree(tmp_path / "videos", {"a.mp4": ""})
    csv = tree(tmp_path, {"clips.csv": "path,label\na.mp4,x\nb.mp4,y\nc.mp4,x\n"})
    return csv / "clips.csv", videos


def test_missing_videos_are_counted_and_listed(incomplete, caplog):
    caplog.set_level("WARNING", "absl")
    table = datasets.read_csv(*incomplete)
    assert len(table) == 1
    assert [path.rsplit("/", 1)[-1] for path in table.missing] == ["b.mp4", "c.mp4"]
    assert "2 of 3 videos are missing: " in caplog.text
    assert table.class_names == ("x", "y")


def test_missing_videos_are_an_error_when_asked(incomplete):
    with pytest.raises(ValueError, match=r"clips\.csv: 2 of 3 videos are missing"):
        datasets.read_csv(*incomplete, require_all=True)


def test_no_video_left_is_an_error(incomplete):
    (incomplete[1] / "a.mp4").unlink()
    with pytest.raises(ValueError, match="3 of 3 videos are missing"):
        datasets.read_csv(*incomplete)


def test_folder(tmp_path):
    names = ["wave/b.mp4", "wave/x/a.AVI", "jump/c.webm", "jump/notes.txt"]
    names += [".hidden/d.mp4", "jump/.e.mp4", "loose.mp4"]
    table = datasets.read("folder", tree(tmp_path, dict.fromkeys(names, "")))
    assert table.class_names == ("jump", "wave")
    assert rows(table) == [
        ("c.webm", "jump", 0, None, None, "train"),
        ("b.mp4", "wave", 1, None, None, "train"),
        ("a.AVI", "wave", 1, None, None, "train"),
    ]


def test_folder_of_splits(tmp_path):
    names = ["train/wave/a.mp4", "train/jump/b.mp4", "val/wave/c.mp4"]
    table = datasets.read("folder", tree(tmp_path, dict.fromkeys(names, "")))
    assert table.class_names == ("jump", "wave")
    assert [(c.label, c.index, c.split) for c in table] == [
        ("jump", 0, "train"),
        ("wave", 1, "train"),
        ("wave", 1, "val"),
    ]


@pytest.mark.parametrize("stray", ["train/c.mp4", "raw/c.mp4", "raw/x/c.mp4", "c.mp4"])
def test_folder_of_splits_with_a_stray_video(tmp_path, stray):
    names = ["Train/wave/a.mp4", "val/wave/b.mp4", stray]
    with pytest.raises(
        ValueError, match=f"{stray}: is outside the folders for splits.*SPLIT/"
    ):
        datasets.read_folder(tree(tmp_path, dict.fromkeys(names, "")))


def test_folder_with_slashes_at_its_end(tmp_path):
    tree(tmp_path, {"wave/a.mp4": ""})
    (clip,) = datasets.read_folder(f"{tmp_path}//")
    assert (clip.label, clip.path) == ("wave", f"{tmp_path}/wave/a.mp4")


def test_csv_with_row_numbers(tmp_path):
    """As pandas' to_csv writes it."""
    tree(tmp_path, {"a.mp4": "", "clips.csv": ",path,label\n0,a.mp4,wave\n"})
    assert rows(datasets.read_csv(tmp_path / "clips.csv"))[0][:2] == ("a.mp4", "wave")


def test_lists_that_lack_a_class_take_the_names_of_another(tmp_path):
    tree(tmp_path, {"a.mp4": "", "clips.csv": "path,label\na.mp4,wave\n"})
    (clip,) = datasets.read(
        "csv", None, tmp_path / "clips.csv", class_names=("jump", "wave")
    )
    assert clip.index == 1


def test_folder_with_the_classes_of_another(tmp_path):
    tree(tmp_path, {"wave/a.mp4": ""})
    names = ("jump", "run", "wave")
    (clip,) = datasets.read_folder(tmp_path, class_names=names)
    assert clip.index == 2
    with pytest.raises(ValueError, match=r"a\.mp4: 'wave' is not one of the 1 class"):
        datasets.read_folder(tmp_path, class_names=("jump",))


def test_links_to_folders_are_followed_once(tmp_path):
    tree(tmp_path / "elsewhere", {"a.mp4": ""})
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "wave").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "videos")
    assert len(datasets.read_folder(tmp_path / "videos")) == 1


def test_csv(tmp_path):
    text = (
        "split,label,path,start,end\n"
        'val,"a, b",one.mp4,1.5,3\n'
        f"train,c,{tmp_path}/two.mp4,,\n"
        "train,c,s3://bucket/three.mp4,,2\n"
    )
    tree(tmp_path, {"one.mp4": "", "two.mp4": "", "clips.csv": text})
    table = datasets.read("csv", None, tmp_path / "clips.csv")
    assert rows(table) == [
        ("one.mp4", "a, b", 0, 1.5, 3.0, "val"),
        ("two.mp4", "c", 1, None, None, "train"),
        ("three.mp4", "c", 1, None, 2.0, "train"),
    ]
    assert table.clips[0].example_id == "one_1.5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mp4,wave\n", "line 1: the first line names the columns; there is no path"),
        ("", "there is no path"),
        ("path,label\n", "lists no clips"),
        ("path,lable\na.mp4,x\n", "line 1: there is a column 'lable'; is 'label' mean"),
        ("path,label,Strat\na.mp4,x,1\n", "column 'Strat'; is 'start' meant"),
        ("path,label\na.mp4,x\na.mp4\n", r"clips\.csv, line 3: expected 2 columns"),
        ("path,label\na.mp4,x,y\n", "line 2: expected 2 columns"),
        ("path,label\n,x\n", "line 2: the path is empty"),
        ("path,label,start,end\na.mp4,x,one,2\n", "line 2: .*numbers of seconds"),
        ("path,label,start,end\na.mp4,x,3,2\n", "line 2: .*0 <= start < end"),
        ("path,label,start,end\na.mp4,x,-1,2\n", "line 2: .*0 <= start < end"),
        ("path,label,start,end\na.mp4,x,nan,2\n", "line 2: .*0 <= start < end"),
        ('path,label\na.mp4,"x\ny"\n', "line 3: class 'x.ny': the name has a line br"),
    ],
    ids=[
        *("no-header", "empty", "no-rows", "lable", "strat", "short", "long"),
        "no-path",
        *("words", "backwards", "negative", "nan"),
        "line-break",
    ],
)
def test_csv_malformed(tmp_path, text, message):
    tree(tmp_path, {"a.mp4": "", "clips.csv": text})
    with pytest.raises(ValueError, match=message):
        datasets.read_csv(tmp_path / "clips.csv")


def test_csv_in_another_encoding(tmp_path):
    (tmp_path / "clips.csv").write_bytes("path,label\na.mp4,Ä\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"clips\.csv, line 2: is not UTF-8"):
        datasets.read_csv(tmp_path / "clips.csv")


def test_a_near_match_is_named(tmp_path):
    tree(tmp_path, {"a.mp4": "", "clips.csv": "path,label\na.mp4,playing_cricket\n"})
    message = (
        r"line 2: 'playing_cricket' \(is 'playing cricket' meant\?\) is not one of the "
        "400 classes"
    )
    with pytest.raises(ValueError, match=message):
        datasets.read_csv(tmp_path / "clips.csv", class_names=class_names(400))
    table = datasets.read_csv(tmp_path / "clips.csv")
    with pytest.raises(ValueError, match="example 'playing_cricket' .is 'playing cric"):
        table.with_classes(class_names(400))


def test_unknown_class(tmp_path):
    videos = tree(tmp_path / "videos", {f"{ID}_000084_000094.mp4": ""})
    text = K700 + f"quilting,{ID},84,94,train\n"
    csv = tree(tmp_path, {"train.csv": text}) / "train.csv"
    message = r"train\.csv, line 2: 'quilting' is not one of the 400 classes"
    with pytest.raises(ValueError, match=message):
        datasets.read_kinetics(csv, videos)


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        ("ucf-101", ("v", "a"), ValueError, "Unknown dataset 'ucf-101'; known: kin"),
        ("ucf101", ("v",), ValueError, "ucf101 needs its annotations"),
        ("folder", (None,), ValueError, r"needs its folder \(--videos\)"),
        ("folder", ("nowhere",), OSError, "nowhere: there is no such folder"),
        ("csv", (None, "nowhere.csv"), OSError, "nowhere.csv"),
        ("hmdb51", (".", "nowhere"), OSError, r"no file \*_test_split1.txt"),
    ],
    ids=["kind", "no-lists", "no-videos", "no-folder", "no-csv", "no-splits"],
)
def test_what_is_asked_wrong(kind, arguments, error, message):
    with pytest.raises(error, match=message):
        datasets.read(kind, *arguments)
