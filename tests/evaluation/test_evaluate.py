"""Evaluation in this process; `tests/cli` runs its program."""

import csv

import pytest
from videos import brightness_frames, write_video

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.evaluation import predictions, protocols
from kinetics_i3d_tf2.evaluation.evaluate import EvaluationOptions

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
