"""Damages originals, reads them in processes of their own, and counts what happens."""

import dataclasses
import logging
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from . import isolation, kinds

RIGHT, REPORTED, REFUSED = "right", "reported", "refused"
CRASHED, HUNG, WRONG = "crashed", "hung", "silently wrong"
OUTCOMES = (RIGHT, REPORTED, REFUSED, CRASHED, HUNG, WRONG)
FAILURES = {CRASHED, HUNG, WRONG}


@dataclasses.dataclass
class Row:
    """Counts of one original.

    Attributes:
        name: the kind's and the original's.
        counts: cases by outcome.
        peak: largest resident memory in bytes.
        failures: what happened in the cases that failed, with their names.
    """

    name: str
    counts: Counter = dataclasses.field(default_factory=Counter)
    peak: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)


def fuzz(
    name: str, count: int, *, seed: int = 0, keep: Path | None = None, show=False
) -> list[Row]:
    """Fuzzes the reader of one kind.

    Args:
        name: one of `kinds.KINDS`.
        count: damaged files, shared among the kind's originals.
        seed: with the name and a case's number, decides all that is random.
        keep: folder for the cases that failed.
        show: print failures as they are found.

    Returns:
        A row for each original.
    """
    kind = kinds.KINDS[name]
    kind.prepare()
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        made = Path(folder, "originals")
        made.mkdir()
        _value(isolation.call(lambda: kind.make(made), seconds=300))
        originals = sorted(made.iterdir())
        twins = [_value(isolation.call(lambda o=o: kind.read(o))) for o in originals]
        rows = [Row(f"{name}: {original.name}") for original in originals]
        for number in range(count):
            place = number % len(originals)
            row, case = rows[place], Path(folder, "case")
            rng = random.Random(f"{seed}/{name}/{number}")
            is_sealed, what = kind.damage(originals[place], case, rng)
            twin = kinds.NO_TWIN if is_sealed else twins[place]
            outcome, text, peak = judge_apart(kind, case, twin)
            row.counts[outcome] += 1
            row.peak = max(row.peak, peak)
            if outcome in FAILURES:
                title = f"{name}-{seed}-{number}"
                row.failures.append(
                    f"{title} ({row.name}, {what}): {outcome}: {text.strip()}"
                )
                if show:
                    print(row.failures[-1], file=sys.stderr, flush=True)
                if keep is not None:
                    shutil.copytree(case, keep / title, dirs_exist_ok=True)
                    (keep / f"{title}.txt").write_text(row.failures[-1] + "\n")
            shutil.rmtree(case)
    return rows


def judge_apart(kind: kinds.Kind, case: Path, twin, **limits) -> tuple[str, str, int]:
    """Reads a case in a process of its own.

    Args:
        kind: the case's.
        case: its folder.
        twin: value of the undamaged original, or `kinds.NO_TWIN`.
        limits: `seconds` and `memory` of `isolation.call`.

    Returns:
        The outcome, a text about it, and the largest resident memory in bytes.
    """
    ended = isolation.call(lambda: _judge(kind, case, twin), **limits)
    if ended.how:
        return HUNG if ended.how == HUNG else CRASHED, ended.how, ended.peak
    return *ended.value, ended.peak


def _judge(kind, case, twin):
    warnings = _Warnings()
    logging.getLogger("absl").addHandler(warnings)
    try:
        value = kind.read(case)
    except (ValueError, OSError) as error:
        if str(case) in str(error):
            return REFUSED, str(error)
        return CRASHED, f"the error does not name the file: {traceback.format_exc()}"
    except Exception:
        return CRASHED, traceback.format_exc()
    if warnings.seen:
        return REPORTED, warnings.seen[0]
    if twin is kinds.NO_TWIN:
        return RIGHT, ""
    difference = kind.difference(twin, value)
    return (WRONG, difference) if difference else (RIGHT, "")


def table(rows: list[Row]) -> str:
    """The counts as a table in Markdown, with a sum for each kind."""
    lines = [f"| file | tried | {' | '.join(OUTCOMES)} | peak MiB |"]
    lines.append("|---|" + "--:|" * (len(OUTCOMES) + 2))
    names = list(dict.fromkeys(row.name.split(": ")[0] for row in rows))
    for name in names:
        of_kind = [row for row in rows if row.name.split(": ")[0] == name]
        total = Row(f"**{name}**", Counter(), max(row.peak for row in of_kind))
        for row in of_kind:
            total.counts += row.counts
        lines += [_line(row) for row in of_kind + [total] * (len(of_kind) > 1)]
    return "\n".join(lines)


def _line(row):
    counts = (row.counts[outcome] for outcome in OUTCOMES)
    cells = [row.name, sum(row.counts.values()), *counts, row.peak >> 20]
    return f"| {' | '.join(map(str, cells))} |"


def _value(ended):
    if ended.how:
        raise RuntimeError(f"an original cannot be made or read: {ended.how}")
    return ended.value


class _Warnings(logging.Handler):
    """Collects the library's warnings."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.seen = []

    def emit(self, record):
        self.seen.append(record.getMessage())
