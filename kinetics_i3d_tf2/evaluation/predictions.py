"""The file predictions.csv: a row a clip, appended as they are done; read to go on."""

import csv
import io
import os
from collections.abc import Sequence

import numpy as np

from ..data import labels
from ..data.clips import NO_LABEL
from ..utils import files
from . import metrics

# Best classes that are named in a row, with their probabilities.
TOP = 5

# Paths may be of any bytes.
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}


def columns(streams: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns.

    Args:
        streams: what was scored, the one that counts last: "rgb", "flow", "joint".
    """
    of_streams = [f"{s}_{x}" for s in streams for x in ("class", "probability", "rank")]
    best = [f"top_{n}{x}" for n in range(1, TOP + 1) for x in ("", "_probability")]
    return ("number", "id", "path", "label", *of_streams, *best, "error")


def describe(clip, label_names: dict[int, str]) -> dict[str, str]:
    """What a row says of a clip before it is scored.

    Args:
        clip: a `reading.ReadClip`.
        label_names: names by the dataset's label index.

    Returns:
        Values by column; "error" is empty when the clip can be scored.
    """
    error = clip.error
    if clip.label != NO_LABEL and clip.label not in label_names:
        error = error or f"has the label index {clip.label}, which has no name"
    return {
        "number": str(clip.number),
        "id": clip.example_id,
        "path": clip.source.path,
        "label": label_names.get(clip.label, ""),
        "error": error,
    }


def describe_scores(
    scores: dict[str, tuple[np.ndarray, np.ndarray]], names: Sequence[str], label: str
) -> dict[str, str]:
    """What a row says of a clip's scores.

    Args:
        scores: by stream, the one that counts last: what classes are ranked by, and
            their probabilities, float `(num_classes,)`.
        names: class names by index.
        label: name of the true class; "" without one, and there is no rank then.

    Returns:
        Values by column.
    """
    row = {}
    for name, (ranked_by, probabilities) in scores.items():
        best = labels.top_k(ranked_by, TOP)
        row[f"{name}_class"] = names[best[0]]
        row[f"{name}_probability"] = f"{probabilities[best[0]]:.6g}"
        if label:
            row[f"{name}_rank"] = str(metrics.rank(ranked_by, names.index(label)))
    for place, index in enumerate(best, 1):
        row[f"top_{place}"] = names[index]
        row[f"top_{place}_probability"] = f"{probabilities[index]:.6g}"
    return row


class Predictions:
    """The rows of a file, each a dict of strings by column; a context manager.

    A row is in the file when `append` has returned, whatever ends the process then. A
    last row that is not whole, as a killed process leaves it, is dropped.

    Args:
        path: the file, on this machine.
        names: its columns.

    Raises:
        OSError: it cannot be read or written.
        ValueError: what is there is no such file.

    Attributes:
        rows: what is in the file, by `number`.
    """

    def __init__(self, path: str | os.PathLike, names: Sequence[str]):
        self._path = path
        self._names = tuple(names)
        self.rows: dict[int, dict[str, str]] = {}
        content = self._read()
        if content != self._text(self.rows.values()):
            self._write()
        self._file = open(path, "a", **_TEXT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def append(self, row: dict[str, str]) -> None:
        """Adds a row to the file.

        Args:
            row: values by column; those that it lacks are empty.

        Raises:
            OSError: it cannot be written, for example because the disk is full.
        """
        row = {name: row.get(name, "") for name in self._names}
        self._file.write(self._lines([row]))
        self._file.flush()
        self.rows[int(row["number"])] = row

    def drop_failed(self) -> int:
        """Takes the rows out that have an error; returns how many they were."""
        failed = [number for number, row in self.rows.items() if row["error"]]
        for number in failed:
            del self.rows[number]
        self._rewrite()
        return len(failed)

    def sort(self) -> None:
        """Puts the rows in order of `number`."""
        if list(self.rows) != sorted(self.rows):
            self.rows = dict(sorted(self.rows.items()))
            self._rewrite()

    def _read(self):
        """Fills `rows`; returns what the file holds."""
        if not os.path.exists(self._path):
            return ""
        with open(self._path, **_TEXT) as file:
            content = file.read()
        whole = content[: content.rfind("\n") + 1]
        if self._text([]).startswith(content):
            return content  # Empty, or killed in the first line.
        # A killed machine may leave zeros, which are no text.
        table = list(csv.reader(io.StringIO(whole.rstrip("\0"))))
        if not table or tuple(table[0]) != self._names:
            raise ValueError(f"{self._path}: does not begin with the columns expected")
        for place, values in enumerate(table[1:], 2):
            if len(values) != len(self._names) or not values[0].isdecimal():
                if place == len(table):
                    break
                raise ValueError(
                    f"{self._path}: row {place} is damaged; take it out to have its "
                    "clip done again"
                )
            row = dict(zip(self._names, values, strict=True))
            self.rows[int(row["number"])] = row
        return content

    def _rewrite(self):
        self._file.close()
        self._write()
        self._file = open(self._path, "a", **_TEXT)

    def _write(self):
        with (
            files.atomic_writer(self._path) as path,
            open(path, "w", **_TEXT) as file,
        ):
            file.write(self._text(self.rows.values()))

    def _text(self, rows):
        return self._lines([dict(zip(self._names, self._names, strict=True)), *rows])

    def _lines(self, rows):
        lines = io.StringIO()
        writer = csv.DictWriter(lines, self._names, lineterminator="\n")
        writer.writerows(rows)
        return lines.getvalue()
