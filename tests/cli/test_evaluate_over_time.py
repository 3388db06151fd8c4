"""`i3d evaluate` of videos with several labels."""

import csv
import json

import built_models
import programs
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import save_checkpoint
from kinetics_i3d_tf2.data import labels

NAMES = ("jump", "run")
SIZES = ("--short_side=193", "--crop_size=193")


@pytest.fixture(scope="module")
def run():
    with programs.running("evaluate") as send:
        yield send


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """Flags of a dataset of two videos, and of a checkpoint."""
    folder = tmp_path_factory.mktemp("labels")
    model = built_models.narrow_i3d(2)
    save_checkpoint(model, folder / "model" / "model.ckpt")
    labels.write_label_map(folder / "model" / "label_map.txt", NAMES)
    rows = [["path", "label", "start", "end", "split"]]
    for name in ("a.mkv", "b.mkv"):
        write_video(folder / name, brightness_frames(20, (48, 40)), codec="ffv1")
        rows.append([name, "jump", "0.1", "0.5", "test"])
    rows.append(["a.mkv", "run", "", "", "test"])
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return (
        "--dataset=intervals",
        f"--annotations={folder / 'labels.csv'}",
        "--eval_type=rgb",
        f"--rgb_checkpoint={folder / 'model'}",
    )


def test_intervals_are_judged_by_their_moments(run, flags, tmp_path):
    out, report = tmp_path / "out", tmp_path / "report.json"
    status, output, error = run(*flags, *SIZES, f"--out={out}", f"--json={report}")
    assert status == 0, error
    lines = output.splitlines()
    assert lines[0].split() == ["mAP", "classes", "scored"]
    assert lines[1].split()[0] == "videos"
    assert lines[2].split()[-2:] == ["2", "50"]
    assert lines[3] == f"2 videos; 0 could not be read; see {out}"
    content = json.loads(report.read_text())
    assert content["settings"]["protocol"] == "dense"
    assert set(content["figures"]) == {"video_map", "moment_map"}
    assert (out / "per_class.csv").read_text().startswith("class,videos,")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--protocol=whole",), "--protocol=whole is for one label a clip"),
        (("--protocol=windows",), "--protocol=windows needs --window=SECONDS"),
        (("--window=1",), "--window is for --protocol=windows"),
        (("--flip",), "--flip is not for --protocol=dense"),
        (("--batch_size=2",), "--batch_size is for --protocol=views"),
        (("--protocol=windows", "--window=0.1"), "0.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_does_not_go_together(run, flags, tmp_path, extra, message):
    status, _, error = run(*flags, *extra, f"--out={tmp_path / 'out'}")
    assert status == 2
    assert message in error.strip().splitlines()[-1]
