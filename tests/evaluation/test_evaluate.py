"""Evaluation in this process; `tests/cli` runs its program."""

import csv
import shutil

import pytest
import recipe
from record_files import write_records
from videos import brightness_frames, write_video

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.evaluation import predictions, protocols
from kinetics_i3d_tf2.evaluation.evaluate import EvaluationOptions

FLOW = protocols.Protocol(i3d.ClipRecipe("flow", short_side=193, crop_size=193))
NAMES = tuple("abcdefg")
PROTOCOL = protocols.Protocol(i3d.ClipRecipe(short_side=193, crop_size=193))


@pytest.fixture
def sources(tmp_path):
    """Of 9, 10 and 11 frames."""
    paths = [tmp_path / f"{number}.mkv" for number in range(9, 12)]
    for number, path in enumerate(paths, 9):
        write_video(path, brightness_frames(number, (48, 40)), codec="ffv1")
    return [Clip(str(path), "b", 1) for path in paths]


def test_any_failure_is_of_its_clip(small_checkpoint, sources, tmp_path, monkeypatch):
    """Resizing and models raise errors of their own kinds."""
    score, expected = protocols.score, {}

    def fail_on_the_second(models, clip, protocol):
        frames = len(clip["rgb"])
        if frames == 10:
            raise RuntimeError("resizing failed")
        expected[frames] = score(models, clip, protocol)
        return expected[frames]

    monkeypatch.setattr(protocols, "score", fail_on_the_second)
    i3d.evaluate(
        {"rgb": small_checkpoint},
        sources,
        NAMES,
        tmp_path / "out",
        protocol=PROTOCOL,
        options=EvaluationOptions(max_damaged=0.5),
    )
    with open(tmp_path / "out" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["error"] for row in rows] == ["", "resizing failed", ""]
    assert rows[1]["rgb_class"] == ""
    for row, frames in ((rows[0], 9), (rows[2], 11)):
        of_clip = predictions.describe_scores(expected[frames], NAMES, "b")
        assert row.items() >= of_clip.items()


def test_a_finished_evaluation_builds_no_model(
    small_checkpoint, sources, tmp_path, monkeypatch
):
    arguments = {"rgb": small_checkpoint}, sources, NAMES, tmp_path / "out"
    found = i3d.evaluate(*arguments, protocol=PROTOCOL)
    monkeypatch.setattr(i3d.Checkpoint, "build_model", None)
    again = i3d.evaluate(*arguments, protocol=PROTOCOL)
    assert again.figures == found.figures


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.write_bytes(data.read_bytes()[:-1]), "is truncated or corr"),
        (lambda data: data.unlink(), "is missing"),
    ],
    ids=["truncated", "missing"],
)
def test_incomplete_checkpoints_leave_no_folder(
    small_checkpoint, sources, tmp_path, change, message
):
    copy = shutil.copytree(small_checkpoint, tmp_path / "copy")
    change(next(copy.glob("*.data-*")))
    with pytest.raises((ValueError, OSError), match=message):
        i3d.evaluate({"rgb": copy}, sources, NAMES, tmp_path / "o", protocol=PROTOCOL)
    assert not (tmp_path / "o").exists()


@pytest.fixture(scope="module")
def flow_checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flow")
    model = i3d.InceptionI3d(7, num_channels=2, width=1 / 16, class_names=NAMES)
    i3d.save_checkpoint(recipe.assign(model, 2), folder / "model.ckpt")
    labels.write_label_map(folder / "label_map.txt", NAMES)
    return {"flow": folder}


def test_a_record_without_flow_is_an_error_of_its_own(
    flow_checkpoint, sources, tmp_path
):
    lacking = write_records(tmp_path / "rgb", sources[:1], has_flow=False)
    records = lacking + write_records(tmp_path / "flow", sources[1:])
    options = EvaluationOptions(max_damaged=0.5)
    arguments = (flow_checkpoint, records, NAMES, tmp_path / "out")
    found = i3d.evaluate(*arguments, protocol=FLOW, options=options)
    assert (found.clips, found.unread) == (2, 1)
    with open(tmp_path / "out" / "predictions.csv", newline="") as file:
        errors = [row["error"] for row in csv.DictReader(file)]
    assert "has no optical flow; prepare it with flow" in errors[0]
    assert errors[1:] == ["", ""]


@pytest.mark.parametrize("function", [i3d.evaluate, i3d.evaluate_temporal])
def test_records_without_flow_are_an_error(
    flow_checkpoint, sources, tmp_path, function
):
    records = write_records(tmp_path / "rgb", sources, has_flow=False)
    protocol = {"protocol": FLOW} if function is i3d.evaluate else {}
    with pytest.raises(ValueError, match="has no optical flow, nor have the 2 others"):
        function(flow_checkpoint, records, NAMES, tmp_path / "out", **protocol)
    assert not (tmp_path / "out").exists()
