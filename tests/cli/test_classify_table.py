"""Many videos and windows on the command line."""

import csv
import io
import random
import signal

import numpy as np
import programs
import pytest
from conftest import ROOT
from record_files import write_records
from videos import write_video

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.video.reader import read_video

CLIPS = ("demo_opening_a_door", "demo_picking_up")
RGB = ("--eval_type=rgb", f"--rgb_checkpoint={ROOT}/checkpoints/demo_rgb")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in CLIPS:
        (folder / f"{name}.mp4").symlink_to(ROOT / "data" / f"{name}.mp4")
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


def parse(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_folder_goes_to_standard_output(folder):
    done = programs.run("classify", folder, *RGB, "--top=2")
    assert done.returncode == 0, done.stderr
    bad, door, picking = parse(done.stdout)
    assert "FFmpeg" in bad["error"]
    assert (door["label_1"], door["frames"], door["error"]) == (
        "opening a door", "14", "",
    )  # fmt: skip
    assert picking["label_1"] == "picking up"
    assert set(picking) == {
        "path", "start", "end", "frames", "error", "damage",
        "label_1", "probability_1", "label_2", "probability_2",
    }  # fmt: skip
    assert "2 of 3 videos are labelled; 1 could not be" in done.stderr


def test_one_video_is_answered_as_ever():
    path = ROOT / "data" / f"{CLIPS[0]}.mp4"
    named = programs.run("classify", path, *RGB)
    assert named.returncode == 0, named.stderr
    assert named.stdout == programs.run("classify", f"--video={path}", *RGB).stdout
    assert named.stdout.startswith("Norm of logits: ")


def test_windows_with_captions(folder, tmp_path):
    path = folder / f"{CLIPS[1]}.mp4"
    captions = tmp_path / "clip.vtt"
    done = programs.run(
        "classify", path, *RGB, "--window=0.4", "--stride=0.08", "--top=1",
        f"--captions={captions}", f"--out={tmp_path}/l.csv", "--min_segment=0.1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = parse((tmp_path / "l.csv").read_text())
    assert [row["start"] for row in table] == ["0.0", "0.08", "0.16", "0.24"]
    assert "picking up (" in captions.read_text()
    assert f"segments are in {captions}" in done.stderr


def test_a_row_for_8_frames(folder, tmp_path):
    page = tmp_path / "clip.html"
    done = programs.run(
        "classify", folder / f"{CLIPS[1]}.mp4", *RGB, "--dense", "--top=1",
        f"--timeline={page}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = parse(done.stdout)  # 15 frames have one place.
    assert (row["start"], row["end"], row["frames"]) == ("0.0", "0.6", "15")
    assert row["label_1"] == "picking up"
    assert "picking up" in page.read_text()


def test_what_is_longer_is_told(folder):
    done = programs.run("classify", folder, *RGB, "--max_frames=10")
    assert (
        "2 videos are longer than what was seen of them; see --max_fra" in done.stderr
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A file with a record of each clip, of RGB alone."""
    path = tmp_path_factory.mktemp("records") / "clips-00000-of-00001"
    clips = [Clip(f"{ROOT}/data/{name}.mp4") for name in CLIPS]
    write_records(path, clips, short_side=256, has_flow=False)
    return path


@pytest.mark.parametrize(
    ("cut", "frames", "counted"),
    [
        ((), ["14", "15"], "2 of 2 videos are labelled"),
        (("--max_frames=14",), ["14", "14"], "1 videos are longer than what was seen"),
        (("--max_frames=0", "--window=0.4"), ["10", "4", "10", "5"], "2 of 2 videos"),
    ],
    ids=["whole", "cut", "windows"],
)
def test_records(records, cut, frames, counted):
    done = programs.run("classify", records, *RGB, "--top=1", *cut)
    assert done.returncode == 0, done.stderr
    table = parse(done.stdout)
    assert [row["frames"] for row in table] == frames
    assert [table[0]["label_1"], table[-1]["label_1"]] == [
        "opening a door",
        "picking up",
    ]
    assert counted in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--video={}"],
            "is a file of records; omit --video for a table: i3d classify",
        ),
        (["{}", "--json=a.json"], "--json is for one video that is seen at once"),
        (["{}", "--timeline=a.html", "--dense"], "shows frames of a video file"),
        (["{}", "--weights=demo"], "has no optical flow; prepare it with flow, or use"),
    ],
    ids=str,
)
def test_mistakes_with_records(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    clips = [Clip(f"{ROOT}/data/{CLIPS[0]}.mp4")]
    write_records("clips-00000-of-00001", clips, has_flow=False)
    arguments = [argument.format("clips-00000-of-00001") for argument in arguments]
    models = () if "--weights=demo" in arguments else RGB
    done = programs.run("classify", *models, *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("window", [(), ("--window=0.4",)], ids=["whole", "windows"])
def test_damage_is_told(tmp_path, window):
    content = bytearray((ROOT / "data" / f"{CLIPS[0]}.mp4").read_bytes())
    middle = content.index(b"mdat") + 1500
    content[middle : middle + 200] = bytes(200)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    done = programs.run(
        "classify", tmp_path, *RGB, "--max_damaged_frames=1", "--top=1", *window
    )
    assert done.returncode == 0, done.stderr
    *_, last = parse(done.stdout)
    assert "frames are damaged" in last["damage"]
    assert f"damaged.mp4: {last['damage']}" in done.stderr
    assert "1 have damaged frames" in done.stderr


@pytest.mark.slow
def test_killed_and_resumed(tmp_path):
    """With 80 videos, of which 24 cannot be read. `tests/kills` kills ten times."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(80):
        path = folder / f"{number:02}.mp4"
        if number % 10 < 3:
            path.write_bytes(b"no video" * number)
        else:
            path.symlink_to(ROOT / "data" / f"{CLIPS[number % 2]}.mp4")
    whole, out = tmp_path / "whole.csv", tmp_path / "l.csv"
    arguments = ("classify", folder, *RGB, "--top=2")
    done = programs.run(*arguments, f"--out={whole}")
    assert "56 of 80 videos are labelled; 24 could not be" in done.stderr

    def count():
        return len(parse(out.read_text())) if out.exists() else 0

    for kind in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        wanted = count() + random.randrange(1, 15)
        programs.stop_halfway(
            kind, tmp_path / "none", count, 81, *arguments, f"--out={out}",
            least=wanted,
        )  # fmt: skip
    done = programs.run(*arguments, f"--out={out}")
    assert "videos were done before" in done.stderr
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_killed_within_a_video_and_resumed(tmp_path):
    frames = read_video(ROOT / "data" / f"{CLIPS[0]}.mp4")
    film = tmp_path / "film.mkv"
    write_video(film, np.concatenate([frames, frames[::-1]] * 8), codec="ffv1")
    arguments = ("classify", film, *RGB, "--top=2", "--window=0.4", "--stride=0.08")
    whole, out = tmp_path / "whole.csv", tmp_path / "l.csv"
    captions = [tmp_path / "whole.vtt", tmp_path / "l.vtt"]
    programs.run(*arguments, f"--out={whole}", f"--captions={captions[0]}")
    arguments += (f"--out={out}", f"--captions={captions[1]}")

    def count():
        return len(parse(out.read_text())) if out.exists() else 0

    for _ in range(2):
        programs.stop_halfway(
            signal.SIGKILL, tmp_path / "none", count, 300, *arguments,
            least=count() + random.randrange(1, 20),
        )  # fmt: skip
        assert not captions[1].exists()
    done = programs.run(*arguments)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == whole.read_bytes()
    assert captions[1].read_bytes() == captions[0].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.mp4"], "none.mp4: there is no such file or folder"),
        (["--out=l.csv"], "name the videos: files, folders, patterns or CSVs"),
        (["{}", "--out=l.txt"], "--out=l.txt: name a file that ends in .csv or .jsonl"),
        (["{}", "--captions=a.vtt"], "--captions needs --window=SECONDS"),
        (["{}", "--dense", "--window=1"], "--dense scores each 8 frames, without wind"),
        (["{}", "--dense", "--stride=1"], "--stride needs --window=SECONDS"),
        (["{}", "--window=1", "--captions=a.srt"], "name a file that ends in .vtt"),
        (["{}", "--window=1", "--captions=a.vtt"], "is for one video. Received: 3"),
        (["{}", "--json=a.json"], "--json is for one video that is seen at once"),
        (["{}", "--model=c3d"], "--model: this program runs I3D"),
        (["{}/bad.mp4", "--out=l.csv"], "no video could be labelled; the first: is"),
    ],
    ids=str,
)
def test_mistakes(folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    arguments = [argument.format(folder) for argument in arguments]
    done = programs.run("classify", *RGB, *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
