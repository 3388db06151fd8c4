"""The flags of optical flow have one meaning in all programs."""

import json

import numpy as np
import programs
import pytest
from videos import write_video

from kinetics_i3d_tf2.data.records.report import Report
from kinetics_i3d_tf2.data.records.shards import Settings


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Four frames of smooth noise that moves."""
    noise = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    large = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    frames = np.stack([large[n : n + 240, 2 * n : 2 * n + 320] for n in range(4)])
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", frames)


def test_engines_give_one_answer(video, tmp_path):
    logits = {}
    for engine in ("auto", "numba", "opencv"):
        path = tmp_path / f"{engine}.json"
        done = programs.run(
            "classify",
            f"--video={video}",
            "--weights=demo",
            "--eval_type=flow",
            f"--flow_engine={engine}",
            f"--json={path}",
        )
        assert done.returncode == 0, done.stderr
        top = json.loads(path.read_text())["top"]
        logits[engine] = {row["class"]: row["logit"] for row in top}
    assert logits["auto"] == logits["numba"]
    assert logits["opencv"] == pytest.approx(logits["numba"], abs=0.05)


@pytest.mark.parametrize("command", ["classify", "evaluate", "features", "prepare"])
def test_help_shows_them_as_a_group(command):
    text = programs.run(command, "--help").stdout
    group = text[text.index("\nOptical flow:") :]
    assert "  --flow_engine:\n" in group
    assert "  --flow_epsilon:\n" in group


@pytest.mark.parametrize("command", ["classify", "train"])
def test_a_wrong_epsilon(command, tmp_path):
    flags = {
        "classify": ("--video=a.mp4", "--weights=demo"),
        "train": ("--recipe=demo_rgb", "--dataset=folder", "--videos=a", "--out=b"),
    }[command]
    done = programs.run(command, *flags, "--flow_epsilon=-1")
    assert done.returncode == 2
    assert "--flow_epsilon must be above 0 pixels. Received: -1.0" in done.stderr


def test_reports_name_the_engines(tmp_path, caplog):
    """Mixing them in one folder is allowed, and reported."""
    report = Report(tmp_path)
    report.begin("train", {}, Settings(flow_engine="opencv").as_json())
    report.write()
    again = Report(tmp_path)
    again.begin("train", {}, Settings(flow_engine="opencv").as_json())
    assert not caplog.text
    again.begin("train", {}, Settings(flow_engine="numba").as_json())
    assert "flow was by opencv " in caplog.text and "now by numba " in caplog.text
    again.write()
    (records,) = json.loads((tmp_path / "report.json").read_text())["records"].values()
    assert records["settings"]["flow_engine"].startswith("opencv ")
    assert ", numba " in records["settings"]["flow_engine"]


def test_folders_of_before_are_by_opencv(tmp_path, caplog):
    settings = Settings(flow_engine="numba").as_json()
    report = Report(tmp_path)
    report.begin("train", {}, settings)
    del settings["flow_engine"]
    report.write()
    Report(tmp_path).begin("train", {}, Settings(flow_engine="numba").as_json())
    assert "flow was by opencv so far, now by numba" in caplog.text
