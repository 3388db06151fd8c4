"""The file predictions.csv: a row a clip, appended as they are done; read to go on."""

import os
from collections.abc import Sequence

import numpy as np

from ..data import labels
from ..data.clips import NO_LABEL, Clip
from ..data.records.tfrecord import Record
from ..data.sources import fingerprints
from ..utils import files
from ..utils.journal import CsvRows, Journal
from . import metrics

# Last columns, which files of earlier versions lack.
ADDED = ("damage", "fingerprint")
# Best classes that are named in a row, with their probabilities.
TOP = 5


def columns(streams: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns.

    Args:
        streams: what was scored, the one that counts last: "rgb", "flow", "joint".
    """
    of_streams = [f"{s}_{x}" for s in streams for x in ("class", "probability", "rank")]
    best = [f"top_{n}{x}" for n in range(1, TOP + 1) for x in ("", "_probability")]
    return ("number", "id", "path", "label", *of_streams, *best, "error", *ADDED)


def describe(clip, label_names: dict[int, str]) -> dict[str, str]:
    """What a row says of a clip before it is scored.

    Args:
        clip: a `prefetch.ReadClip`.
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
        "damage": str(clip.damage or ""),
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
        self._written = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
        rows = CsvRows(
            names, is_valid=lambda row: row["number"].isdecimal(), added=len(ADDED)
        )
        self._journal = Journal(path, rows)
        self.rows = {int(row["number"]): row for row in self._journal.rows}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._journal.close()

    def append(self, row: dict[str, str]) -> None:
        """Adds a row to the file.

        Args:
            row: values by column; those that it lacks are empty.

        Raises:
            OSError: it cannot be written, for example because the disk is full.
        """
        row = self._journal.append(row)
        self.rows[int(row["number"])] = row

    def drop_changed(self, sources: Sequence[Clip | Record]) -> list[str]:
        """Removes the rows of clips that have changed since they were scored.

        Args:
            sources: the dataset. The fingerprints of what stays are kept; rows of
                earlier versions have none, and are judged by the times of the files.

        Returns:
            Paths of what has changed.
        """
        done = {n: row for n, row in self.rows.items() if n < len(sources)}
        today = dict(
            zip(done, fingerprints([sources[number] for number in done]), strict=True)
        )
        changed = []
        for number, row in done.items():
            path, before = sources[number].path, row["fingerprint"]
            if before and today[number]:
                is_changed = before != today[number]
            else:
                is_changed = not before and self._is_newer(path)
            if is_changed:
                changed.append(path)
                del self.rows[number]
            else:
                self.rows[number] = row | {"fingerprint": before or today[number]}
        self._journal.replace(self.rows.values())
        return changed

    def _is_newer(self, path):
        is_local = not files.is_address(path) and os.path.exists(path)
        return is_local and os.stat(path).st_mtime_ns > self._written

    def drop_failed(self) -> int:
        """Removes the rows that have an error; returns how many they were."""
        before = len(self.rows)
        self.rows = {n: row for n, row in self.rows.items() if not row["error"]}
        self._journal.replace(self.rows.values())
        return before - len(self.rows)

    def sort(self) -> None:
        """Sorts the rows by `number`."""
        self.rows = dict(sorted(self.rows.items()))
        self._journal.replace(self.rows.values())
