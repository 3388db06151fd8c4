"""Videos and records that a user names, and what their results are called."""

import os

import pytest
import tensorflow as tf
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import sources
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import shards


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files that are no videos inside, which naming does not look at."""
    folder = tmp_path_factory.mktemp("videos")
    for name in ("train/jump/a.mp4", "train/run/b.MOV", "val/jump/a.mp4", "c.avi"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (folder / "notes.txt").write_text("no video")
    (folder / "list.csv").write_text(
        "path,label,start,end\ntrain/jump/a.mp4,jump,1.5,4\ntrain/run/b.MOV,run,,\n"
    )
    return folder


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two records; the second one is damaged."""
    folder = tmp_path_factory.mktemp("records")
    path = folder / "folder_val_25fps_rgb-00000-of-00001"
    settings = shards.Settings(has_flow=False, short_side=48)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in ("first", "second"):
            write_video(folder / f"{name}.mp4", brightness_frames(3))
            clip = Clip(str(folder / f"{name}.mp4"), "jump", 0)
            writer.write(shards.encode_clip(clip, settings)[0])
    content = bytearray(path.read_bytes())
    content[-20] ^= 255
    path.write_bytes(content)
    return folder


def names(*wanted):
    return [each.name for each in sources.find([str(name) for name in wanted])]


def test_a_folder_is_searched_in_depth(folder):
    found = ["c", "train/jump/a", "train/run/b", "val/jump/a"]
    assert names(folder) == found
    assert names(f"{folder}/") == found


def test_files_patterns_and_lists(folder):
    assert names(folder / "c.avi", folder / "train/run/b.MOV") == ["c", "b"]
    assert names(folder / "*/jump/*.mp4") == ["train/jump/a", "val/jump/a"]
    assert names(folder / "**/*.mp4") == ["train/jump/a", "val/jump/a"]
    assert names(folder / "list.csv") == ["jump/a_1.5_4", "run/b"]
    assert sources.find([str(folder / "list.csv")])[0].source.end == 4


def test_an_input_that_is_named_twice_is_taken_once(folder):
    assert names(folder / "c.avi", folder / "*.avi", folder / "c.avi") == ["c"]


def test_a_suffix_or_a_hash_tells_files_apart(folder, tmp_path):
    for name in ("a.mp4", "a.avi", "b.mp4"):
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == ["a", "a.mp4", "b"]  # a.avi is first.
    found = names(folder / "train/jump/a.mp4", folder / "val/jump/a.mp4", tmp_path)
    assert found[:2] == ["a", "a.mp4"]
    assert len(set(found)) == len(found) == 5


@pytest.mark.parametrize(
    "path",
    ["../../secret/s.mp4", "/a/../../b.mp4", "..mp4", "a/.lock", ".parts/x.mp4",
     "x\x1b[2J.mp4", "caf\udce9.mp4", "a\\b.mp4", 300 * "y", 900 * "z/" + "z"],
    ids=lambda path: ascii(path)[:20],
)  # fmt: skip
def test_no_name_leads_out_of_a_folder(path):
    clips = [Clip("/d/videos/jump/a.mp4"), Clip(path), Clip("videos/b.mp4")]
    found = [each.name for each in sources.of_table(clips)]
    assert len(set(found)) == 3
    for name in found:
        parts = name.split("/")
        assert all(p and p[0] != "." and len(p.encode()) < 200 for p in parts)
        assert name.isprintable() and not name.startswith("/")


def test_no_id_of_a_record_leads_out_of_a_folder(tmp_path):
    path = tmp_path / "a-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in ("../../x", "a/b", "", "same", "same", ".lock"):
            example = tf.train.SequenceExample()
            feature = example.context.feature["example/id"]
            feature.bytes_list.value.append(name.encode())
            images = example.feature_lists.feature_list["image/encoded"]
            images.feature.add().bytes_list.value.append(b"x")
            writer.write(example.SerializeToString())
    found = names(path)
    assert len(set(found)) == 6
    assert all("/" not in name and name[0] != "." for name in found)
    assert found[3] == "same" and found[4].startswith("same-")


def test_resolve(folder, tmp_path):
    clips = [Clip("/d/videos/jump/a.mp4"), Clip("/d/videos/run/b.mp4", end=2.0)]
    expected = sources.of_table(clips)
    assert sources.resolve(clips) == sources.resolve(expected) == expected
    assert sources.resolve(folder) == sources.find([str(folder)])
    assert sources.resolve([folder / "c.avi"]) == sources.find([f"{folder}/c.avi"])
    with pytest.raises(ValueError, match="expected paths, a table of clips, or"):
        sources.resolve([3])


def test_fingerprints(folder, records):
    (found,) = sources.find([f"{folder}/c.avi"])
    (before,) = sources.fingerprints([found.source])
    path = folder / "c.avi"
    assert before == f"1-{path.stat().st_mtime_ns}"
    os.utime(path, ns=(0, 5))
    assert sources.fingerprints([found.source]) == ["1-5"]
    of_records = [each.source for each in sources.find([str(records)])]
    first, second = sources.fingerprints(of_records)
    assert first != second and first.partition("@")[0] == second.partition("@")[0]
    assert sources.fingerprints([Clip("-")]) == [""]


def test_records_are_named_by_their_clips(records):
    path = records / "folder_val_25fps_rgb-00000-of-00001"
    found = names(records)
    assert found == names(path)
    assert found[0] == "first_0"
    assert found[1].startswith("folder_val_25fps_rgb-00000-of-00001_")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.mp4", "absent.mp4: there is no such file or folder"),
        ("*.mp4", "there are no videos or records in"),
        ("", "there are no videos or records in"),
    ],
    ids=["file", "pattern", "folder"],
)
def test_nothing_is_found(tmp_path, name, message):
    with pytest.raises((ValueError, OSError), match=message.replace("*", r"\*")):
        names(tmp_path / name)


def test_clips_of_a_dataset():
    clips = [Clip("/d/videos/jump/a.mp4"), Clip("/d/videos/run/b.mp4", end=2.0)]
    assert [i.name for i in sources.of_table(clips)] == ["jump/a", "run/b_0_2"]
    assert [i.source for i in sources.of_table(clips)] == clips


def test_credentials_are_in_no_name(monkeypatch):
    """A signed address has slashes, dots and question marks in its query."""
    monkeypatch.setattr(sources.files, "exists", lambda path: True)
    query = "X-Amz-Credential=AK/2026/s3&X-Amz-Signature=5e.1f"
    found = sources.find([f"https://me:secret@host/a/{n}.mp4?{query}" for n in "xy"])
    assert [each.name for each in found] == ["x", "y"]
    assert found[0].source.path.endswith(query)
