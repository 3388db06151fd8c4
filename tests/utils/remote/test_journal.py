"""Journals at addresses."""

import pytest

from kinetics_i3d_tf2.utils import files, growing_file
from kinetics_i3d_tf2.utils.journal import CsvRows, Journal, JsonRows, read_rows

SIGNED = "http://h/a.mp4?X-Amz-Signature=5e1f"


@pytest.fixture(params=["memory", "s3"])
def folder(request):
    if request.param == "s3":
        return f"{request.getfixturevalue('s3')}/journals"
    return "memory://journals"


def test_rows_are_uploaded_when_it_is_closed(folder):
    path = f"{folder}/closed.csv"
    rows = CsvRows(["name", "path"])
    with Journal(path, rows) as journal:
        journal.append({"name": "1", "path": "a, b"})
        assert read_rows(path, rows) == []
    with Journal(path, rows) as journal:
        assert len(journal.rows) == 1
        journal.append({"name": "2", "path": "c"})
    assert read_rows(path, rows) == [
        {"name": "1", "path": "a, b"},
        {"name": "2", "path": "c"},
    ]
    with Journal(path, rows) as journal:
        journal.replace(journal.rows[1:])
        assert [row["name"] for row in read_rows(path, rows)] == ["2"]
    with Journal(path, rows, resume=False):
        assert read_rows(path, rows) == []


def test_rows_are_uploaded_from_time_to_time(folder, monkeypatch):
    monkeypatch.setattr(growing_file, "UPLOAD_SECONDS", 0.0)
    path = f"{folder}/timed.jsonl"
    with Journal(path, JsonRows()) as journal:
        for number in range(3):
            journal.append([number])
            assert read_rows(path, JsonRows())[-1] == [number]


def test_credentials_are_not_in_the_file(tmp_path):
    """A value ends where its column does."""
    with Journal(tmp_path / "a.csv", CsvRows(["path", "error"])) as journal:
        row = journal.append({"path": SIGNED, "error": f"{SIGNED}: is empty"})
    hidden = "http://h/a.mp4?X-Amz-Signature=***"
    assert row == {"path": hidden, "error": f"{hidden}: is empty"}
    with Journal(tmp_path / "a.jsonl", JsonRows()) as journal:
        assert journal.append([SIGNED, 1]) == [hidden, 1]
    files.write_json(tmp_path / "a.json", {"path": SIGNED})
    for path in tmp_path.iterdir():
        assert "5e1f" not in path.read_text()
