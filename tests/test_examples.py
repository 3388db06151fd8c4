"""The programs of examples/, as the README calls them."""

import kinetics_i3d_tf2 as i3d


def test_make_videos(python, tmp_path):
    done = python("examples/make_videos.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"18 videos in {tmp_path}\n"
    table = i3d.read_folder(tmp_path)
    assert table.class_names == ("disc", "square")
    assert [len(table.split(name)) for name in ("train", "val")] == [12, 6]
    assert i3d.read_video(table.clips[0].path).shape == (50, 256, 340, 3)


def test_make_videos_without_a_folder(python):
    done = python("examples/make_videos.py")
    assert done.returncode == 1
    assert "python examples/make_videos.py videos" in done.stderr
