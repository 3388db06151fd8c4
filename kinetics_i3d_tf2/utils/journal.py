"""Rows appended to a file as work is done, and read again when it is resumed."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence

from . import files, growing_file

_CODEC = ("utf-8", "surrogateescape")  # Paths may be of any bytes.


class JsonRows:
    """One JSON value per line."""

    header = ""
    headers = ("",)

    def encode(self, row) -> str:
        """The line of a row, without credentials of addresses."""
        return files.redact(json.dumps(row)) + "\n"

    def decode(self, text: str) -> list:
        """Rows of whole lines; None for what is not a row."""
        return [_parse_json(line) for line in text.split("\n")[:-1]]


class CsvRows:
    """CSV with a header; a row is a dict of strings by column.

    Args:
        columns: names of the columns.
        is_valid: whether a row read from a file is one of this journal.
        added: how many of the last columns older files may lack; they are empty then.
    """

    def __init__(
        self,
        columns: Sequence[str],
        is_valid: Callable[[dict[str, str]], bool] = lambda row: True,
        added: int = 0,
    ):
        self._columns = tuple(columns)
        self._is_valid = is_valid
        self._least = len(columns) - added
        self.header = self._line(columns)
        # That of today first, then of older files.
        counts = range(len(columns), self._least - 1, -1)
        self.headers = tuple(self._line(columns[:count]) for count in counts)

    def encode(self, row: dict[str, str]) -> str:
        """The line of a row, without credentials; columns that it lacks are empty."""
        values = [row.get(name, "") for name in self._columns]
        return self._line([files.redact(str(value)) for value in values])

    def decode(self, text: str) -> list[dict[str, str] | None]:
        """Rows of the text below the header; None for what is not a row."""
        rows = []
        for values in csv.reader(io.StringIO(text, newline="")):
            is_whole = self._least <= len(values) <= len(self._columns)
            values += [""] * (len(self._columns) - len(values))
            row = dict(zip(self._columns, values, strict=False))
            rows.append(row if is_whole and self._is_valid(row) else None)
        return rows

    def _line(self, values):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(values)
        return line.getvalue()


class Journal:
    """The rows of a file; a context manager.

    A row is in the file when `append` has returned, whatever ends the process then. A
    last row that is not whole, as a killed process leaves it, is dropped. A file at an
    address is uploaded once a minute, and when the journal is closed.

    Args:
        path: the file; it is created if it does not exist.
        format: `JsonRows()` or `CsvRows(columns)`.
        resume: keep the rows of an earlier run; else start over.

    Raises:
        OSError: it cannot be read or written.
        ValueError: another file is there, or a row before the last is damaged.

    Attributes:
        rows: what is in the file.
        is_older: whether the file was of an older version, without the added columns.

    Examples:
        >>> with Journal("done.csv", CsvRows(["name", "error"])) as journal:
        ...     for name in names[len(journal.rows) :]:
        ...         journal.append({"name": name, "error": work_on(name)})
    """

    def __init__(
        self,
        path: str | os.PathLike,
        format: JsonRows | CsvRows,
        *,
        resume: bool = True,
    ):
        self._format = format
        self._file = growing_file.open_file(path)
        self.rows = []
        content = _read_text(path) if resume else None
        if resume:
            self.rows = _parse(path, content, format)
        newest, *older = format.headers
        self.is_older = (
            bool(content)
            and not content.startswith(newest)
            and any(content.startswith(header) for header in older)
        )
        if content != self._text():
            self._file.replace(self._encoded())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Closes the file.

        Raises:
            OSError: it cannot be uploaded.
        """
        self._file.close()

    def append(self, row):
        """Adds a row to the file.

        Returns:
            The row as it would be read: of a CSV, with all columns.

        Raises:
            OSError: it cannot be written, for example because the disk is full.
        """
        line = self._format.encode(row)
        self._file.append(line.encode(*_CODEC))
        self.rows += self._format.decode(line)
        return self.rows[-1]

    def replace(self, rows: Iterable) -> None:
        """Replaces all rows, in the file at once.

        Raises:
            OSError: they cannot be written; the earlier ones are kept.
        """
        rows = list(rows)
        if rows == self.rows:
            return
        self.rows = rows
        self._file.replace(self._encoded())

    def _encoded(self):
        return self._text().encode(*_CODEC)

    def _text(self):
        return self._format.header + "".join(map(self._format.encode, self.rows))


def read_rows(path: str | os.PathLike, format: JsonRows | CsvRows) -> list:
    """Reads a journal that another process may be writing.

    Args:
        path: the file, local or an address; it may not exist yet.
        format: as of `Journal`.

    Returns:
        The whole rows.

    Raises:
        OSError: it cannot be read.
        ValueError: it is another file, or a row before the last is damaged.
    """
    return _parse(path, _read_text(path), format)


def _read_text(path):
    return growing_file.read(path).decode(*_CODEC)


def _parse(path, content, format):
    """The rows, without a last one that is not whole."""
    if any(header.startswith(content) for header in format.headers):
        return []  # Empty, or killed in the first line.
    header = next((h for h in format.headers if content.startswith(h)), None)
    if header is None:
        raise ValueError(
            f"{path}: does not begin with the columns expected; another "
            "program wrote it. Move it away to begin again"
        )
    # What follows may be half a line, or the zeros that a crashed machine leaves.
    rows = format.decode(content[len(header) : content.rfind("\n") + 1])
    if rows and rows[-1] is None:
        rows.pop()
    if None in rows:
        number = rows.index(None) + 1 + bool(format.header)
        raise ValueError(
            f"{path}: row {number} is damaged; delete it to have its clip done again"
        )
    return rows


def _parse_json(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
