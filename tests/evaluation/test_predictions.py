"""predictions.csv: whole rows stay, torn ones go, whatever ended the process."""

import os

import numpy as np
import pytest

from kinetics_i3d_tf2.data import clips, prefetch
from kinetics_i3d_tf2.data.sources import fingerprints
from kinetics_i3d_tf2.evaluation import predictions
from kinetics_i3d_tf2.utils.journal import CsvRows

COLUMNS = predictions.columns(("rgb",))


def row(number, **changes):
    return {
        **dict.fromkeys(COLUMNS, ""),
        "number": str(number),
        "path": f'a "folder", {number}.mp4',
        "label": "jüm, p",
        **changes,
    }


@pytest.fixture
def written(tmp_path):
    """A file of three rows, and its content."""
    path = tmp_path / "predictions.csv"
    with predictions.Predictions(path, COLUMNS) as file:
        for number in range(3):
            file.append(row(number))
    return path, path.read_bytes()


def test_rows_are_there_when_append_returns(tmp_path):
    path = tmp_path / "predictions.csv"
    with predictions.Predictions(path, COLUMNS) as file:
        file.append({"number": "4", "path": "a\nb\udcff.mp4"})
        with predictions.Predictions(path, COLUMNS) as other:
            assert other.rows[4]["path"] == "a\nb\udcff.mp4"
            assert other.rows[4]["error"] == ""


def test_any_torn_end_is_dropped(written):
    path, content = written
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = max(0, sum(end <= length for end in ends) - 1)
        with predictions.Predictions(path, COLUMNS) as file:
            assert list(file.rows) == list(range(whole)), length
            for number in range(whole, 3):
                file.append(row(number))
        assert path.read_bytes() == content


def test_zeros_of_a_crashed_machine_are_dropped(written):
    path, content = written
    path.write_bytes(content + b"3,\0\0\0\0")
    with predictions.Predictions(path, COLUMNS) as file:
        assert list(file.rows) == [0, 1, 2]
    assert path.read_bytes() == content


def test_failed_rows_are_tried_again_and_rows_sorted(written):
    path, content = written
    with predictions.Predictions(path, COLUMNS) as file:
        file.append(row(3))
        file.rows[1]["error"] = "broken"
        assert file.drop_failed() == 1
        assert list(file.rows) == [0, 2, 3]
        file.append(row(1))
        file.sort()
        assert list(file.rows) == [0, 1, 2, 3]
    assert path.read_bytes().startswith(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "number,path\n", "does not begin with the columns expected"),
        (lambda text: text.replace("\n1,", "\nx,"), "row 3 is damaged; delete it"),
    ],
    ids=["other-file", "damaged-row"],
)
def test_what_is_not_such_a_file(written, change, message):
    path, content = written
    path.write_text(change(content.decode()))
    with pytest.raises(ValueError, match=message):
        predictions.Predictions(path, COLUMNS)


def test_description_of_clips():
    clip = prefetch.ReadClip(2, clips.Clip("a.mp4"), "a_0", 1)
    found = predictions.describe(clip, {0: "jump", 1: "wave"})
    assert found == {
        "number": "2",
        "id": "a_0",
        "path": "a.mp4",
        "label": "wave",
        "error": "",
        "damage": "",
    }
    assert predictions.describe(clip._replace(label=-1), {})["label"] == ""
    error = predictions.describe(clip._replace(label=7), {0: "jump"})["error"]
    assert error == "has the label index 7, which has no name"


def test_description_of_scores():
    logits = np.array([-1.0, 2.0, 2.0])
    scores = {"rgb": (logits, np.array([0.1, 0.45, 0.45]))}
    found = predictions.describe_scores(scores, ["jump", "wave", "run"], "run")
    assert found["rgb_class"] == found["top_1"] == "wave"
    assert found["rgb_rank"] == "2"
    assert (found["top_3"], found["top_3_probability"]) == ("jump", "0.1")
    assert "top_4" not in found
    assert "rgb_rank" not in predictions.describe_scores(scores, ["a", "b", "c"], "")


def test_clips_that_changed_are_done_again(tmp_path):
    sources = [clips.Clip(str(tmp_path / f"{number}.mp4")) for number in range(4)]
    for source in sources:
        (tmp_path / source.path).write_text("video")
    path = tmp_path / "predictions.csv"
    with predictions.Predictions(path, COLUMNS) as file:
        for number, found in enumerate(fingerprints(sources)):
            file.append(row(number, fingerprint=found))
    (tmp_path / "1.mp4").write_text("another video")
    (tmp_path / "3.mp4").unlink()  # Nothing is known of it.
    with predictions.Predictions(path, COLUMNS) as file:
        assert file.drop_changed(sources) == [sources[1].path]
        assert list(file.rows) == [0, 2, 3]
        assert file.drop_changed(sources) == []


def test_files_of_earlier_versions_are_judged_by_their_times(tmp_path):
    sources = [clips.Clip(str(tmp_path / f"{number}.mp4")) for number in range(2)]
    for number, source in enumerate(sources):
        (tmp_path / source.path).write_text("video")
        os.utime(source.path, ns=(0, number * 2 * 10**9))
    path = tmp_path / "predictions.csv"
    older = COLUMNS[: -len(predictions.ADDED)]
    rows = CsvRows(older)
    lines = [rows.header, *(rows.encode(row(number)) for number in range(2))]
    path.write_text("".join(lines), encoding="utf-8")
    os.utime(path, ns=(0, 10**9))
    with predictions.Predictions(path, COLUMNS) as file:
        assert file.drop_changed(sources) == [sources[1].path]
        assert file.rows[0]["fingerprint"] == fingerprints(sources)[0]
    assert path.read_text().splitlines()[0].endswith(",error,damage,fingerprint")
