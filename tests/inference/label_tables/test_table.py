"""Tables of labels: rows, resuming, and what changed in between."""

import csv
import json
import os
import re

import numpy as np
import pytest
import recipe
from videos import write_video

from kinetics_i3d_tf2 import Classifier, InceptionI3d
from kinetics_i3d_tf2.data import sources
from kinetics_i3d_tf2.inference.label_tables.steps import TableOptions
from kinetics_i3d_tf2.inference.label_tables.table import write_labels

NAMES = ('a "b"', "<script>", "c,d", "e\nf", "g", "h", "i")
OPTIONS = TableOptions(max_frames=12, top=2)


class Stopped(Exception):
    """What ends a run in the middle."""


@pytest.fixture(scope="module")
def classifier():
    model = recipe.assign(InceptionI3d(7, width=1 / 16), 3)
    return Classifier.of_models({"rgb": model}, NAMES)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for number, name in enumerate(["a", "b", "x, \u00e9\n<b>"]):
        film(folder / f"{name}.mkv", number, 12 + number)
    (folder / "c.mp4").write_bytes(b"no video")
    return folder


def film(path, seed, count):
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    large = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    frames = np.stack([large[n : n + 256, n : n + 256] for n in range(count)])
    write_video(path, frames, codec="ffv1", pixel_format="bgr0")


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_of_csv_and_json_are_what_the_classifier_gives(
    classifier, folder, tmp_path
):
    found = sources.find([str(folder)])
    report = write_labels(classifier, found, tmp_path / "l.csv", OPTIONS)
    write_labels(classifier, found, tmp_path / "l.jsonl", OPTIONS)
    table = rows(tmp_path / "l.csv")
    lines = (tmp_path / "l.jsonl").read_text(encoding="utf-8").splitlines()
    assert [row["path"] for row in table] == [each.source.path for each in found]
    assert report.total == 4
    assert list(report.errors) == ["c"]
    assert report.num_cut == 2
    for row, line in zip(table, map(json.loads, lines), strict=True):
        assert row["path"] == line["path"]
        assert row["error"] == line["error"]
        if row["error"]:
            assert "FFmpeg" in row["error"] and line["labels"] == []
            continue
        best = classifier.score(row["path"], max_frames=12).top(2)
        labels = [row["label_1"], row["label_2"]]
        assert [each["label"] for each in line["labels"]] == labels
        assert [name for name, _ in best] == labels
        assert float(row["probability_1"]) == pytest.approx(best[0][1], rel=1e-4)
        assert (row["start"], row["end"], row["frames"]) == ("0.0", "0.48", "12")
        assert NAMES[line["labels"][0]["index"]] == row["label_1"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("window", [None, 0.4])
def test_a_stopped_run_goes_on(classifier, folder, tmp_path, suffix, window):
    options = TableOptions(max_frames=12, top=2, window=window)
    found = sources.find([str(folder)])
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"l.{suffix}"
    write_labels(classifier, found, whole, options)
    for count in (1, 2, 3):
        seen = []

        def stop(step, seen=seen, count=count):
            seen.append(step)
            if len(seen) == count + 1:
                raise Stopped

        with pytest.raises(Stopped):
            write_labels(classifier, found, out, options, on_row=stop)
        with open(out, "ab") as file:
            file.write(b'half a "row')
    report = write_labels(classifier, found, out, options)
    assert report.done_before > 0
    assert out.read_bytes() == whole.read_bytes()


def test_any_failure_is_that_of_one_video(classifier, folder, tmp_path, monkeypatch):
    run, runs = Classifier.run, []

    def fails_once(*args, **options):
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("too large")
        return run(*args, **options)

    monkeypatch.setattr(Classifier, "run", fails_once)
    options = TableOptions(top=2, window=0.4)
    found = sources.find([str(folder)])
    report = write_labels(classifier, found, tmp_path / "l.csv", options)
    assert list(report.errors) == ["a", "c"]
    table = rows(tmp_path / "l.csv")
    assert [row["error"] for row in table if "a.mkv" in row["path"]] == ["too large"]


@pytest.fixture(scope="module")
def windows_run(classifier, tmp_path_factory):
    """A table of overlapping windows of one video: what a whole run writes."""
    folder = tmp_path_factory.mktemp("windows")
    film(folder / "a.mkv", 0, 23)
    options = TableOptions(top=2, window=0.4, stride=0.08, batch_size=3)
    found = sources.find([str(folder)])
    steps = []
    write_labels(
        classifier,
        found,
        folder / "l.csv",
        options,
        keep_scores=True,
        on_row=steps.append,
    )
    assert len(steps) == 9
    return folder, found, options, steps


@pytest.mark.parametrize("share", [0, 0.2, 0.45, 0.7, 0.95, 1])
@pytest.mark.parametrize("keep_scores", [True, False])
def test_a_killed_run_goes_on_within_a_video(
    classifier, windows_run, tmp_path, share, keep_scores
):
    folder, found, options, expected = windows_run
    # What a process leaves that is killed at any time: a part of each file.
    for name in ("l.csv", "l.csv.progress"):
        content = (folder / name).read_bytes()
        (tmp_path / name).write_bytes(content[: round(share * len(content))])
    left = (tmp_path / "l.csv.progress").read_bytes().count(b'"row": ')
    steps = []
    write_labels(
        classifier,
        found,
        tmp_path / "l.csv",
        options,
        keep_scores=keep_scores,
        on_row=steps.append,
    )
    assert (tmp_path / "l.csv").read_bytes() == (folder / "l.csv").read_bytes()
    new = [step for step in steps if step.is_new and step.row]
    done = [json.loads(line) for line in open(tmp_path / "l.csv.progress")]
    assert [entry["window"] for entry in done[1:-1]] == list(range(8))
    assert 8 - left <= len(new) <= 9 - left  # One may have been half written.
    if keep_scores:
        scores = [step.scores for step in steps if step.scores]
        for one, other in zip(scores, expected[:-1], strict=True):
            assert one.seconds == other.scores.seconds
            assert one.frames == other.scores.frames
            assert one.class_names == other.scores.class_names
            np.testing.assert_array_equal(one.logits, other.scores.logits)


@pytest.mark.parametrize("is_whole", [True, False])
def test_windows_without_scores_are_done_again_for_them(
    classifier, windows_run, tmp_path, is_whole
):
    folder, found, options, expected = windows_run
    write_labels(classifier, found, tmp_path / "l.csv", options)
    progress = tmp_path / "l.csv.progress"
    if not is_whole:
        lines = progress.read_bytes().splitlines(keepends=True)
        progress.write_bytes(b"".join(lines[:5]))
    steps = []
    out = tmp_path / "l.csv"
    write_labels(classifier, found, out, options, keep_scores=True, on_row=steps.append)
    assert [step.row for step in steps] == [step.row for step in expected]
    assert all(step.is_new for step in steps)
    again = []
    write_labels(classifier, found, out, options, keep_scores=True, on_row=again.append)
    assert [step.row for step in again] == [step.row for step in expected[:-1]]
    assert not any(step.is_new for step in again)
    assert out.read_bytes() == (folder / "l.csv").read_bytes()


def test_only_what_changed_is_done_again(classifier, folder, tmp_path):
    out = tmp_path / "l.csv"
    found = sources.find([str(folder)])
    write_labels(classifier, found, out, OPTIONS)
    before = rows(out)
    film(folder / "a.mkv", 9, 12)
    film(folder / "aa.mkv", 8, 12)
    found = sources.find([str(folder)])
    done = []
    report = write_labels(
        classifier,
        found,
        out,
        OPTIONS,
        on_row=lambda step: done.append(step.input.name),
    )
    assert set(done) == {"a", "aa"}
    assert report.done_before == 3
    after = rows(out)
    assert [os.path.basename(row["path"]) for row in after] == [
        "a.mkv", "aa.mkv", "b.mkv", "c.mp4", "x, \u00e9\n<b>.mkv",
    ]  # fmt: skip
    assert after[2:] == before[1:]
    assert after[0] != before[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"top": 3}, "l.csv: the table was begun with top 2, now 3. Use the same"),
        ({"window": 0.4}, "l.csv: the table was begun with window None, now 0.4"),
    ],
    ids=str,
)
def test_other_settings(classifier, folder, tmp_path, change, message):
    found = sources.find([str(folder / "a.mkv")])
    write_labels(classifier, found, tmp_path / "l.csv", OPTIONS)
    options = TableOptions(**{"max_frames": 12, "top": 2} | change)
    with pytest.raises(ValueError, match=re.escape(message)):
        write_labels(classifier, found, tmp_path / "l.csv", options)


def test_other_weights(classifier, folder, tmp_path):
    found = sources.find([str(folder / "a.mkv")])
    write_labels(classifier, found, tmp_path / "l.csv", OPTIONS)
    other = recipe.assign(InceptionI3d(7, width=1 / 16), 4)
    with pytest.raises(ValueError, match="was begun with weights [0-9a-f]{64}, now"):
        other = Classifier.of_models({"rgb": other}, NAMES)
        write_labels(other, found, tmp_path / "l.csv", OPTIONS)


def test_a_file_of_others_is_left_alone(classifier, folder, tmp_path):
    out = tmp_path / "l.csv"
    out.write_text("mine\n")
    with pytest.raises(ValueError, match=r"is there already, .*l.csv.progress is gone"):
        write_labels(classifier, sources.find([str(folder)]), out, OPTIONS)
    assert out.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 0}, "top must be at least 1. Received: 0"),
        ({"stride": 1.0}, "stride is for windows, and no window is given"),
        ({"window": 0.1}, "A window needs at least 0.36 seconds"),
    ],
    ids=str,
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        TableOptions(**options)


def test_other_suffixes(classifier, folder, tmp_path):
    with pytest.raises(ValueError, match="l.txt: a table of labels is a .csv or a"):
        write_labels(classifier, sources.find([str(folder)]), tmp_path / "l.txt")
