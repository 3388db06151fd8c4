"""Clips and tables of them."""

import pytest

from kinetics_i3d_tf2.data.clips import NO_LABEL, Clip, Table, join

TABLE = Table(
    (
        Clip("a.mp4", "run", 0, split="train"),
        Clip("b.mp4", "wave", 1, split="val"),
        Clip("c.mp4", "", NO_LABEL, split="val"),
    ),
    ("run", "wave"),
    ("gone.mp4",),
    "list.csv",
)


@pytest.mark.parametrize(
    ("clip", "media_id", "example_id"),
    [
        (Clip("videos/jump_1.mp4"), "jump_1", "jump_1_0"),
        (Clip("jump_1.mp4", start=2.5), "jump_1", "jump_1_2.5"),
        (Clip("s3://a/---QUuC4vJs_000084_000094.mp4"), "---QUuC4vJs", "---QUuC4vJs_84"),
    ],
    ids=["file", "span", "kinetics"],
)
def test_names(clip, media_id, example_id):
    assert (clip.media_id, clip.example_id) == (media_id, example_id)


def test_splits():
    assert TABLE.splits() == ("train", "val")
    assert [clip.path for clip in TABLE.split("val")] == ["b.mp4", "c.mp4"]
    assert TABLE.split("val").class_names == TABLE.class_names
    chosen = TABLE.with_splits(["val", "train"])
    assert [clip.path for clip in chosen] == ["b.mp4", "c.mp4", "a.mp4"]
    message = "no split 'test' in the dataset, only: train, val"
    for select in (TABLE.split, lambda name: TABLE.with_splits(["val", name])):
        with pytest.raises(ValueError, match=message):
            select("test")


def test_classes():
    indices = [clip.index for clip in TABLE.with_classes(("jump", "wave", "run"))]
    assert indices == [2, 1, NO_LABEL]
    with pytest.raises(ValueError, match="1 classes are not among the 1 .* 'run'"):
        TABLE.with_classes(["wave"])


def test_join():
    other = Table((Clip("d.mp4", "jump", 0),), ("jump",), source="other.csv")
    joined = join([TABLE, other])
    assert joined.class_names == ("jump", "run", "wave")
    assert [clip.index for clip in joined] == [1, 2, NO_LABEL, 0]
    assert joined.missing == ("gone.mp4",)
    assert joined.source == "list.csv,other.csv"
    assert join([TABLE]) == TABLE
