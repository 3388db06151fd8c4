"""The report of a folder of records."""

import pytest

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import shards
from kinetics_i3d_tf2.data.records.outcomes import Outcome
from kinetics_i3d_tf2.data.records.report import Report


def test_videos_that_moved_are_the_same_clips(tmp_path):
    """Else a run that was begun with a relative path could not go on."""
    settings = shards.Settings()
    for root in ("videos", "/data/videos", "s3://bucket/videos"):
        clips = [Clip(f"{root}/{name}.mp4", "a", 0) for name in "abc"]
        report = Report(tmp_path)
        report.begin("train", shards.plan("out", "train", clips, 2), settings.as_json())
        report.write()
    clips[0] = Clip(f"{root}/d.mp4", "a", 0)
    with pytest.raises(ValueError, match="train in this folder was begun with other c"):
        report.begin("train", shards.plan("out", "train", clips, 2), settings.as_json())


def test_a_report_of_something_else(tmp_path):
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(ValueError, match=r"report\.json: is not a report"):
        Report(tmp_path)


def test_a_report_is_not_made_of_nothing(tmp_path):
    """Without the lists of outcomes, a report must not say that nothing was written."""
    plan = shards.plan("out", "train", [Clip("a.mp4"), Clip("b.mp4")], 1)
    report = Report(tmp_path)
    report.begin("train", plan, shards.Settings().as_json())
    with pytest.raises(ValueError, match="lists of outcomes are missing from"):
        report.end("train", [Outcome("a.mp4", "a_0", 4, "", 1.0)])


def test_a_single_clip_of_another_name_is_another_clip(tmp_path):
    report = Report(tmp_path)
    for name in ("a", "b"):
        plan = shards.plan("out", "train", [Clip(f"videos/{name}.mp4")], 1)
        if name == "b":
            with pytest.raises(ValueError, match="begun with other clips"):
                report.begin("train", plan, shards.Settings().as_json())
        else:
            report.begin("train", plan, shards.Settings().as_json())
