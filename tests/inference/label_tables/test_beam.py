"""Labels by Apache Beam are those of this machine."""

import json
import os

import pytest
from videos import brightness_frames, write_video

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

from kinetics_i3d_tf2 import Classifier  # noqa: E402
from kinetics_i3d_tf2.data import sources  # noqa: E402
from kinetics_i3d_tf2.data.clips import Clip  # noqa: E402
from kinetics_i3d_tf2.data.records.writer import beam_options  # noqa: E402
from kinetics_i3d_tf2.inference.label_tables.beam import (  # noqa: E402
    LabelHandler,
    label_with_beam,
)
from kinetics_i3d_tf2.inference.label_tables.steps import TableOptions  # noqa: E402
from kinetics_i3d_tf2.inference.label_tables.table import write_labels  # noqa: E402

OPTIONS = TableOptions(max_frames=12, top=2)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for number in range(5):
        frames = brightness_frames(9 + 2 * number, (256, 256), 5 + number)
        write_video(folder / f"{number}.mp4", frames)
    for number in range(3):
        (folder / f"bad{number}.mp4").write_bytes(b"no video")
    return sources.find([str(folder)])


def lines(paths):
    rows = [json.loads(x) for path in paths for x in path.read_text().splitlines()]
    return sorted(rows, key=lambda row: (row["path"], row["start"] or 0))


@pytest.mark.parametrize("window", [None, 0.4])
def test_rows_are_those_of_this_machine(small_checkpoint, videos, tmp_path, window):
    options = TableOptions(max_frames=12, top=2, window=window)
    local = tmp_path / "local.jsonl"
    expected = write_labels(Classifier(small_checkpoint), videos, local, options)
    arguments = ["--runner=DirectRunner", "--direct_num_workers=3"]
    done = label_with_beam(
        videos,
        [small_checkpoint],
        tmp_path / "beam.jsonl",
        options,
        beam_options=beam_options(arguments),
        num_shards=3,
    )
    found = sorted(tmp_path.glob("beam-*-of-00003.jsonl"))
    assert len(found) == 3
    for row, same in zip(lines(found), lines([local]), strict=True):
        for pair in zip(row["labels"], same["labels"], strict=True):
            close, label = (each.pop("probability") for each in pair)
            assert close == pytest.approx(label, abs=1e-5)
        assert row == same
    assert (done.report.total, done.report.num_failed) == (8, 3)
    assert done.report.num_cut == expected.num_cut
    assert done.pattern == f"{tmp_path}/beam-*-of-*.jsonl"


def test_csv_has_its_columns_in_each_file(small_checkpoint, videos, tmp_path):
    label_with_beam(videos[:1], [small_checkpoint], tmp_path / "l.csv", OPTIONS)
    for path in tmp_path.glob("l-*.csv"):
        assert path.read_text().startswith("path,start,end,frames,label_1,")


def test_workers_in_other_folders_find_relative_paths(
    small_checkpoint, videos, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    handler = LabelHandler([os.path.relpath(small_checkpoint)], OPTIONS)
    path = os.path.relpath(videos[0].source.path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    inputs = [sources.Input("0", Clip(path))]
    [[row]] = handler.run_inference(inputs, handler.load_model())
    assert (row["path"], row["frames"], row["error"]) == (path, 9, "")


def test_workers_cannot_read_standard_input(small_checkpoint, tmp_path):
    with pytest.raises(ValueError, match="save the video to a file, or omit --runner"):
        inputs = sources.find(["-"])
        label_with_beam(inputs, [small_checkpoint], tmp_path / "l.jsonl", OPTIONS)


def test_a_checkpoint_that_is_not_there(videos, tmp_path):
    with pytest.raises(OSError, match="none"):
        label_with_beam(videos, [tmp_path / "none"], tmp_path / "l.jsonl", OPTIONS)
