"""Kills programs, runs them twice at once and without room, and compares."""

import dataclasses
import random
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import processes
from processes import Process, limit_files, obey_permissions

from . import programs

_STARTS = 4  # Per kill: a program may finish before it is killed.


@dataclasses.dataclass
class Row:
    """What happened to a program.

    Attributes:
        name: the program's.
        seconds: that a whole run takes.
        kills: how many times it was killed.
        equal: results that were compared with the whole run's, and equal.
        twice: what a second process on the same output did.
        full: the exit status on a full disk.
        read_only: the exit status in a read-only folder.
        failures: what went wrong.
    """

    name: str
    seconds: float = 0.0
    kills: int = 0
    equal: int = 0
    twice: str = ""
    full: str = ""
    read_only: str = ""
    failures: list[str] = dataclasses.field(default_factory=list)


def run(names: list[str], count: int, seed: int = 0) -> list[Row]:
    """Tries programs.

    Args:
        names: of `programs.PROGRAMS`.
        count: kills of each.
        seed: decides when they are killed.

    Returns:
        A row for each.
    """
    processes.run("-c", "pass")  # The first process takes seconds to start.
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        inputs = Path(folder, "inputs")
        inputs.mkdir()
        programs.write_inputs(inputs)
        return [
            _Trial(name, inputs, Path(folder, "place")).row(count, seed)
            for name in names
        ]


def table(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        "| program | seconds | kills | compared, equal | second process | full disk | "
        "read-only folder | failures |",
        "|---|--:|--:|--:|---|---|---|--:|",
    ]
    for row in rows:
        cells = (
            row.name, f"{row.seconds:.1f}", row.kills, row.equal, row.twice, row.full,
            row.read_only, len(row.failures),
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


class _Trial:
    """Runs one program again and again with the same output folder."""

    def __init__(self, name, inputs, place):
        self._row, self._program = Row(name), programs.PROGRAMS[name]
        self._place, self._out = place, place / "out"
        names = {"inputs": inputs, "out": self._out}
        self._arguments = [each.format(**names) for each in self._program.arguments]

    def row(self, count, seed):
        """Runs it in every way."""
        self._clear()
        begin = time.monotonic()
        process = self._start()
        process.wait()
        if process.returncode != 0 or not any(self._out.rglob("*")):
            self._fail("alone", process)
            return self._row
        self._row.seconds = time.monotonic() - begin
        self._whole = programs.result(self._program, self._out)
        self._kill(count, random.Random(f"{seed}/{self._row.name}"))
        self._twice()
        self._row.full = self._without_room(
            "full disk", partial(limit_files, self._largest() // 2)
        )
        self._row.read_only = self._without_room("read-only folder", obey_permissions)
        return self._row

    def _kill(self, count, rng):
        self._clear()
        for _ in range(_STARTS * count):
            if self._row.kills == count:
                break
            process = self._start()
            if process.wait(rng.uniform(0.05, 0.8) * self._row.seconds) is None:
                process.kill()
                self._row.kills += 1
            else:
                self._compare("killed", process)
                self._clear()
        process = self._start()
        process.wait()
        self._compare("killed", process)

    def _twice(self):
        self._clear()
        first = self._start()
        first.wait(0.3 * self._row.seconds)
        second = self._start()
        second.wait()
        first.wait()
        self._compare("first of two", first)
        if second.returncode == 0:
            self._row.twice = "same result"
            if (self._out / (self._program.next or "none")).exists():
                self._row.twice = "next version"
        elif _is_one_line(second):
            self._row.twice = "refused"
        else:
            self._fail("second of two", second)

    def _without_room(self, what, setup):
        self._clear()
        folders = [f for f in (self._place, self._out) if f.exists()]
        is_read_only = setup is obey_permissions
        for folder in folders:
            folder.chmod(0o555 if is_read_only else 0o755)
        process = self._start(setup)
        process.wait()
        for folder in folders:
            folder.chmod(0o755)
        if process.returncode != 2 or not _is_one_line(process):
            self._fail(what, process)
            return "failed"
        if not is_read_only:
            again = self._start()
            again.wait()
            self._compare(f"after a {what}", again)
        return "one line"

    def _largest(self):
        return max(path.stat().st_size for path in self._out.rglob("*"))

    def _start(self, setup=int):
        return Process("-m", "kinetics_i3d_tf2", *self._arguments, setup=setup)

    def _clear(self):
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        if any("{out}/" in each for each in self._program.arguments):
            self._out.mkdir()

    def _compare(self, when, process):
        if process.returncode != 0:
            self._fail(when, process)
            return
        found = programs.result(self._program, self._out)
        names = found.keys() | self._whole.keys()
        differ = sorted(n for n in names if found.get(n) != self._whole.get(n))
        if differ:
            self._row.failures.append(f"{when}: other files: {differ}")
            self._show()
        else:
            self._row.equal += 1

    def _fail(self, when, process):
        text = process.stderr[-2000:]
        self._row.failures.append(f"{when}: status {process.returncode}: {text}")
        self._show()

    def _show(self):
        print(
            f"{self._row.name}: {self._row.failures[-1]}", file=sys.stderr, flush=True
        )


def _is_one_line(process):
    return ": error: " in process.error and "Traceback" not in process.stderr
