"""Progress in terminals and in files."""

import io
import types

import pytest

from kinetics_i3d_tf2.utils import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test adds them."""
    clock = types.SimpleNamespace(now=0.0)
    fake = types.SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(progress, "time", fake)
    return clock


def lines_of(clock, seconds, **options):
    file = io.StringIO()
    with progress.Bar(desc="Work", total=100, file=file, **options) as bar:
        for _ in range(100 - bar.n):
            clock.now += seconds
            bar.set_postfix(loss=1)  # Which shows a bar at once.
            bar.update()
    assert "\r" not in file.getvalue()
    return file.getvalue().splitlines()


def test_a_file_gets_a_line_now_and_then(clock):
    lines = lines_of(clock, 1.0)
    assert [line.split()[:3] for line in lines] == [
        ["Work:", f"{percent}%", f"{percent}/100"] for percent in (29, 59, 89, 100)
    ]


def test_a_file_gets_one_line_of_short_work(clock):
    (line,) = lines_of(clock, 0.01)
    assert line.startswith("Work: 100% 100/100 [")
    assert lines_of(clock, 0.01, leave=False) == []
    assert lines_of(clock, 0.01, disable=True) == []


def test_a_file_tells_where_the_work_goes_on(clock):
    first, _ = lines_of(clock, 0.01, initial=20)
    assert first.startswith("Work:  20% 20/100 [")


def test_a_terminal_gets_a_bar():
    file = Terminal()
    with progress.Bar(range(3), desc="Work", file=file, mininterval=0) as bar:
        assert list(bar) == [0, 1, 2]
    assert file.getvalue().count("\r") >= 2
    assert "Work: 100%|" in file.getvalue()
