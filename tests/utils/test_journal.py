"""Rows that outlive a killed process, as CSV and as JSON lines."""

import pytest

from kinetics_i3d_tf2.utils import journal
from kinetics_i3d_tf2.utils.journal import CsvRows, Journal, JsonRows

FORMATS = {
    "csv": (
        CsvRows(("name", "error")),
        [{"name": f'a "{n}",\n\u00e4\udcff', "error": ""} for n in range(3)],
    ),
    "json": (JsonRows(), [[n, "a\n\u00e4\udcff", None, 0.5] for n in range(3)]),
}


@pytest.fixture(params=FORMATS.values(), ids=FORMATS)
def written(request, tmp_path):
    """Path, format and rows of a journal."""
    rows_format, rows = request.param
    path = tmp_path / "journal"
    with Journal(path, rows_format) as file:
        for row in rows:
            assert file.append(row) == row
            # Before it is closed.
            assert journal.read_rows(path, rows_format)[-1] == row
    return path, rows_format, rows


def test_any_torn_end_is_dropped(written):
    path, rows_format, rows = written
    content = path.read_bytes()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        found = journal.read_rows(path, rows_format)
        assert found == rows[: len(found)]
        with Journal(path, rows_format) as file:
            assert file.rows == found
            for row in rows[len(found) :]:
                file.append(row)
        assert path.read_bytes() == content


def test_zeros_of_a_crashed_machine_are_dropped(written):
    path, rows_format, rows = written
    content = path.read_bytes()
    path.write_bytes(content + bytes(100))
    with Journal(path, rows_format) as file:
        assert file.rows == rows
    assert path.read_bytes() == content


def test_rows_are_replaced(written):
    path, rows_format, rows = written
    with Journal(path, rows_format) as file:
        file.replace(rows[:0:-1])
        file.append(rows[0])
    assert journal.read_rows(path, rows_format) == rows[::-1]


def test_a_journal_may_start_over(written):
    path, rows_format, rows = written
    with Journal(path, rows_format, resume=False) as file:
        assert file.rows == []
        file.append(rows[1])
    assert journal.read_rows(path, rows_format) == [rows[1]]


def test_no_file_has_no_rows(tmp_path):
    assert journal.read_rows(tmp_path / "none", JsonRows()) == []


@pytest.mark.parametrize(
    ("rows_format", "content", "message"),
    [
        (CsvRows(("a", "b")), "a,c\n", "does not begin with the columns expected"),
        (CsvRows(("a", "b")), "a,b\n1\n1,2\n", "row 2 is damaged; delete it"),
        (JsonRows(), "[]\n[\n[]\n", "row 2 is damaged; delete it"),
    ],
    ids=["other columns", "csv row", "json row"],
)
def test_damage_before_the_end(tmp_path, rows_format, content, message):
    path = tmp_path / "journal"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"journal: {message}"):
        Journal(path, rows_format)
