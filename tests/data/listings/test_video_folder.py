"""Which files and folders below a folder are videos, and what else there is."""

import os
import socket

import pytest
from videos import brightness_frames, write_images

from kinetics_i3d_tf2.data import datasets, sources
from kinetics_i3d_tf2.data.listings import video_folder


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    "suffix", [".m2ts", ".vob", ".asf", ".mxf", ".dv", ".3g2", ".f4v", ".y4m", ".MP4"]
)
def test_suffixes_of_videos(tmp_path, suffix):
    touch(tmp_path, f"a/clip{suffix}", "a/notes.txt")
    assert video_folder.video_files(tmp_path) == [f"{tmp_path}/a/clip{suffix}"]


def test_what_else_a_folder_holds_is_counted_in_one_line(tmp_path, caplog):
    touch(tmp_path, "a.mp4", "b/c.mkv", "notes.txt", "b/x.json", "b/y.json", "b/cover")
    touch(tmp_path, "b/poster.png", ".hidden.mp4")
    caplog.set_level("INFO")
    assert len(video_folder.video_files(tmp_path)) == 2
    assert [record.message for record in caplog.records] == [
        f"{tmp_path}: 2 videos; left out: 5 other files (2 .json, 1 no suffix, 1 .txt, "
        "...)"
    ]


def test_only_regular_files_are_listed(tmp_path, caplog):
    """A FIFO would block whoever opens it."""
    touch(tmp_path, "a.mp4")
    os.mkfifo(tmp_path / "b.mp4")
    os.symlink(tmp_path / "gone.mp4", tmp_path / "c.mp4")
    os.symlink(tmp_path / "loop.mp4", tmp_path / "loop.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(tmp_path, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{place}/d.mp4")
        os.close(place)
        assert video_folder.video_files(tmp_path) == [f"{tmp_path}/a.mp4"]
    assert "a.mp4" not in caplog.text
    assert "4 FIFOs, devices or broken links" in caplog.text
    (found,) = sources.find([f"{tmp_path}/*.mp4"])
    assert found.source.path == f"{tmp_path}/a.mp4"


def test_links_are_followed_and_loops_are_not(tmp_path):
    touch(tmp_path, "train/x/a.mp4")
    os.symlink("train", tmp_path / "val")
    os.symlink("..", tmp_path / "train" / "up")
    paths = video_folder.video_files(tmp_path)
    assert paths == [f"{tmp_path}/train/x/a.mp4", f"{tmp_path}/val/x/a.mp4"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_may_not_be_listed(tmp_path, caplog):
    touch(tmp_path, "a.mp4", "lost+found/b.mp4")
    os.chmod(tmp_path / "lost+found", 0)
    try:
        assert video_folder.video_files(tmp_path) == [f"{tmp_path}/a.mp4"]
    finally:
        os.chmod(tmp_path / "lost+found", 0o700)
    assert "1 folders that may not be listed" in caplog.text


@pytest.fixture
def images(tmp_path):
    """Two clips as folders of images, beside a video."""
    frames = brightness_frames(12)
    for name in ("jump/v1.0", "run/v2"):
        write_images(tmp_path / name, frames)
    touch(tmp_path, "run/v3.mp4", "run/v3.png", "run/v4.png")
    return tmp_path


def test_folders_of_images_are_clips(images):
    clips = [f"{images}/jump/v1.0", f"{images}/run/v2", f"{images}/run/v3.mp4"]
    found = video_folder.list_videos(images)
    assert found.videos == clips
    assert found.others == {".png": 2}  # They lie next to a video.
    table = datasets.read_folder(images)
    assert [(c.path, c.label) for c in table] == list(
        zip(clips, ["jump", "run", "run"], strict=True)
    )


def test_videos_in_no_folder_of_a_class_are_told(images, caplog):
    touch(images, "stray.mp4")
    write_images(images / "walk", brightness_frames(2))
    table = datasets.read_folder(images)
    assert len(table) == 3 and "walk" not in table.class_names
    assert f"{images}: 2 videos are in no folder of a class" in caplog.text


def test_clips_of_folders_keep_their_whole_name(images):
    clips = {clip.example_id for clip in datasets.read_folder(images)}
    assert clips == {"v1.0_0", "v2_0", "v3_0"}


def test_names_of_folders_of_images(images, monkeypatch):
    def names(*wanted):
        return [(i.name, i.source.path) for i in sources.find([*map(str, wanted)])]

    clip = f"{images}/jump/v1.0"
    assert names(images)[0] == ("jump/v1.0", clip)
    assert names(clip) == names(f"{clip}/") == [("v1.0", clip)]
    assert names(images / "jump" / "*") == [("v1.0", clip)]
    assert names(images / "*")[0] == ("jump/v1.0", clip)
    monkeypatch.chdir(clip)
    assert names(".") == [("v1.0", clip)]


def test_standard_input_is_an_input():
    (found,) = sources.find(["-"])
    assert (found.name, found.source.path) == ("stdin", "-")


def test_lists_name_folders_of_images(images):
    (images / "list.csv").write_text("path,label\njump/v1.0,jump\nrun/v2,run\n")
    table = datasets.read_csv(images / "list.csv")
    assert [clip.path for clip in table] == [
        f"{images}/jump/v1.0",
        f"{images}/run/v2",
    ]


def test_a_missing_folder(tmp_path):
    with pytest.raises(OSError, match="x: there is no such folder of videos"):
        video_folder.list_videos(tmp_path / "x")
    assert video_folder.list_videos(tmp_path).left_out() == ""
