"""Live videos over real sockets and pipes."""

import os
import re
import threading

import live_servers
import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.video.live import LiveVideo, is_live


def numbers(frames):
    return np.round(np.array([frame.mean() for frame in frames]) / 5).astype(int)


def test_the_newest_frames_come(caplog):
    with (
        live_servers.serve(3.0) as address,
        LiveVideo(address, seconds=0.4) as video,
    ):
        first = video.wait(0.4, 10)
        later = video.wait(first.end + 0.4, 10)
    for newest in (first, later):
        found = numbers(newest.frames)
        assert newest.frames[0].shape == (256, 256, 3)
        assert len(found) in (10, 11)
        np.testing.assert_array_equal(np.diff(found) % 50, 1)  # None is left out.
    assert later.end >= first.end + 0.4


def test_old_frames_are_dropped():
    with (
        live_servers.serve(8.0, speed=20) as address,
        LiveVideo(address, seconds=0.4) as video,
    ):
        newest = video.wait(5.0, 10)
        assert len(newest.frames) <= 11
        np.testing.assert_array_equal(np.diff(numbers(newest.frames)) % 50, 1)


def test_a_lost_connection_is_opened_again(caplog):
    with (
        live_servers.serve(1.0, connections=2) as address,
        LiveVideo(address, seconds=0.4) as video,
    ):
        first = video.wait(0.4, 10)
        while not video.reconnections:
            video.wait(0.0, 0)
        again = video.wait(first.end + 1.5, 10)
    # Nothing of the first connection is in the second's window.
    np.testing.assert_array_equal(np.diff(numbers(again.frames)) % 50, 1)
    assert again.end > first.end
    assert "connecting again in 1 s" in caplog.text


def test_a_pipe_ends(tmp_path):
    content, _ = live_servers.mpegts(1.0)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    with LiveVideo(pipe, seconds=2.0) as video:
        rest = video.wait(2.0, 50)
        assert len(rest.frames) in (25, 26)
        assert rest.end == pytest.approx(1.0, abs=0.05)
        assert video.wait(2.0, 50) is None
        assert video.is_over
    writer.join()


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("/dev/video99", ValueError, "cannot be read as a live video (No such file"),
        ("tcp://127.0.0.1:9", ValueError, "a live video (Connection refused)"),
        ("tcp://u:secret@127.0.0.1:9", ValueError, "a live video"),
        ("none.pipe", FileNotFoundError, "none.pipe: there is no such file or device"),
    ],
)
def test_what_cannot_be_opened(source, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        with LiveVideo(source, seconds=1.0, timeout=2.0) as video:
            video.wait(1.0, 25)
    assert "secret" not in str(caught.value)


def test_files_are_no_live_videos(tmp_path):
    path = write_video(tmp_path / "clip.mp4", brightness_frames(10))
    with pytest.raises(ValueError, match="is a file, not a live video; .* --window"):
        LiveVideo(path, seconds=1.0)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rtsp://camera/1", True),
        ("/dev/video0", True),
        ("avfoundation:0", True),
        ("https://host/clip.mp4", False),
        ("clip.mp4", False),
        ("-", False),
    ],
)
def test_is_live(source, expected):
    assert is_live(source) is expected
