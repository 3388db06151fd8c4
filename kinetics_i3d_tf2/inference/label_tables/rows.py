"""Rows of tables of labels, as CSV and as JSON lines."""

import os

from ...data.labels import top_k
from ...utils.journal import CsvRows, JsonRows
from ..scores import Scores

SUFFIXES = (".csv", ".jsonl")
_FIRST = ("path", "start", "end", "frames")


class LabelCsv(CsvRows):
    """CSV with a column for each of the best classes, and one for its probability.

    Args:
        top: how many classes there are.
    """

    last = ("error", "damage")

    def __init__(self, top: int):
        pairs = [(f"label_{n}", f"probability_{n}") for n in range(1, top + 1)]
        columns = [name for pair in pairs for name in pair]
        super().__init__((*_FIRST, *columns, *self.last))

    def convert(self, row: dict) -> dict[str, str]:
        """The columns of a row that `make_row` made."""
        flat = {name: row[name] for name in (*_FIRST, *self.last)}
        for number, found in enumerate(row["labels"], 1):
            flat[f"label_{number}"] = found["label"]
            flat[f"probability_{number}"] = f"{found['probability']:.6g}"
        return {name: "" if v is None else str(v) for name, v in flat.items()}


class LabelJson(JsonRows):
    """One JSON object per line."""

    def convert(self, row: dict) -> dict:
        """The row that `make_row` made, as it is."""
        return row


def row_format(out: str | os.PathLike, top: int) -> LabelCsv | LabelJson:
    """How the rows of a table are written, by its suffix.

    Args:
        out: the table.
        top: how many classes a row gives.

    Raises:
        ValueError: it is neither `.csv` nor `.jsonl`.
    """
    suffix = os.path.splitext(os.fspath(out))[1].lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{os.fspath(out)}: a table of labels is a .csv or a .jsonl file"
        )
    return LabelCsv(top) if suffix == ".csv" else LabelJson()


def make_row(
    path: str,
    top: int,
    scores: Scores | None,
    *,
    error: str = "",
    damage: str = "",
) -> dict:
    """The row of a video, of one of its windows, or of what is wrong with it.

    Args:
        path: of the video.
        top: how many classes to give, best first.
        scores: its scores, or None.
        error: why there are none.
        damage: what of the video is damaged or missing.

    Returns:
        JSON's types: "path", "start" and "end" in seconds, "frames", "labels" (dicts of
        "label", "index" and "probability"), "error" and "damage". Numbers have six
        digits.
    """
    start, end = scores.seconds if scores else (None, None)
    return {
        "path": path,
        "start": None if start is None else round(start, 3),
        "end": None if end is None else round(end, 3),
        "frames": scores.frames if scores else None,
        "labels": _labels(scores, top) if scores else [],
        "error": error,
        "damage": damage,
    }


def _labels(scores, top):
    probabilities = scores.probabilities
    return [
        {
            "label": scores.class_names[index],
            "index": int(index),
            "probability": float(f"{probabilities[index]:.6g}"),
        }
        for index in top_k(scores.logits, top)
    ]
