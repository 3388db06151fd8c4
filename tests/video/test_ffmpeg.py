"""What is opened: files, bytes, file objects, pipes; and which of their streams."""

import io
import os
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import iter_video, read_video
from kinetics_i3d_tf2.video.reader import count_frames


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mkv"
    return write_video(path, brightness_frames(20))


@pytest.mark.parametrize("default", [0, 1], ids=["picture", "film"])
def test_the_default_stream_is_read(tmp_path, default):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for index, stream in enumerate(streams):
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
            stream.time_base = Fraction(1, 25)
            stream.disposition = Disposition.default if index == default else 0
        for stream, count in zip(streams, (1, 20), strict=True):
            for index, image in enumerate(brightness_frames(count)):
                frame = av.VideoFrame.from_ndarray(image)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    assert len(read_video(path)) == (1, 20)[default]


def test_bytes_and_file_objects(video):
    expected = read_video(video)
    content = video.read_bytes()
    np.testing.assert_array_equal(read_video(content), expected)
    np.testing.assert_array_equal(read_video(io.BytesIO(content)), expected)
    with open(video, "rb") as file:
        np.testing.assert_array_equal(read_video(file), expected)
        assert count_frames(file) == 20
        assert len(read_video(file)) == 20


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "the video in memory is empty"),
        (b"no video" * 99, "the video in memory: .* FFmpeg|the video in memory: has"),
        (io.BytesIO(b"no video" * 99), "the video's file object: "),
    ],
    ids=["empty", "bytes", "file"],
)
def test_what_is_not_a_video_in_memory(source, message):
    with pytest.raises(ValueError, match=message):
        read_video(source)


def test_a_named_pipe(video, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(video.read_bytes()))
    writer.start()
    assert len(read_video(pipe)) == 20
    writer.join()
    with pytest.raises(ValueError, match="pipe: can be read only once"):
        count_frames(pipe)


@pytest.mark.parametrize("kind", ["pipe", "object", "stdin"])
def test_an_index_at_the_end_of_a_pipe(tmp_path, monkeypatch, kind):
    """Most mp4 files have it there; it is megabytes after the header."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 240, 320, 3), np.uint8)
    path = write_video(tmp_path / "a.mp4", noise, options={"crf": "10"})
    content = path.read_bytes()
    assert content.index(b"moov") > 1 << 20
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    if kind == "pipe":
        assert len(read_video(pipe)) == 40
    elif kind == "object":
        with open(pipe, "rb") as file:
            assert len(read_video(file)) == 40
    else:
        with open(pipe) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert count_frames("-") == len(read_video("-")) == 40
            assert len(read_video("-", start=0.8)) == 20
    writer.join()


def test_standard_input(video, python):
    code = "from kinetics_i3d_tf2 import read_video; print(read_video('-').shape)"
    done = python("-c", code, stdin=open(video, "rb"))
    assert done.stdout == "(20, 48, 64, 3)\n", done.stderr


def test_large_results_need_a_limit(video):
    limit = 9 * 48 * 64 * 3
    with pytest.raises(ValueError, match="more than 0 MiB of frames .10 of 64x48"):
        read_video(video, max_bytes=limit)
    assert len(read_video(video, max_bytes=limit, max_frames=12)) == 12
    assert sum(1 for _ in iter_video(video)) == 20


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux only")
def test_memory_is_that_of_the_result(tmp_path, python):
    path = write_video(
        tmp_path / "clip.mp4",
        np.zeros((80, 1080, 1920, 3), np.uint8),
        options={"preset": "ultrafast"},
    )
    code = """
import re, sys
from pathlib import Path
from kinetics_i3d_tf2 import iter_video, read_video
def memory(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(name + r":\\s+(\\d+) kB", status)[1]) * 1024
for _ in iter_video(sys.argv[1]):
    pass
Path("/proc/self/clear_refs").write_text("5")  # The peak begins again.
before = memory("VmRSS")
frames = read_video(sys.argv[1], max_frames=500)
print((memory("VmHWM") - before) / frames.nbytes)
"""
    done = python("-c", code, path)
    assert 0.5 < float(done.stdout) < 1.15, done.stderr
