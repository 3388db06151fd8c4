"""Commands, code and outputs that the documentation shows, out of its Markdown.

An `sh` or `python` block is run, unless the line above it is

  <!-- parsed only: REASON -->

A `text` block directly below it contains what it prints to standard output. Words are
compared, and numbers within 2 percent unless the line above the block is

  <!-- numbers vary -->

A line `...` stands for any lines, and `...` at the end of a line for its rest.
"""

import itertools
import re
import shlex
from typing import NamedTuple

import pytest

_BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^\n]+) -->\n)?```(?P<kind>\w*)\n(?P<code>.*?)```", re.DOTALL
)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


class Block(NamedTuple):
    """A fenced block, and the output that is shown below it."""

    kind: str
    code: str
    place: str
    parsed_only: bool
    output: str | None
    numbers_vary: bool


def blocks_of(page):
    """The blocks of a page that contain commands or code."""
    text = page.read_text(encoding="utf-8")
    found = [*_BLOCK.finditer(text), None]
    for match, following in itertools.pairwise(found):
        if match["kind"] not in ("sh", "python"):
            continue
        has_output = (
            following is not None
            and following["kind"] == "text"
            and not text[match.end() : following.start()].strip()
        )
        line = text[: match.start("code")].count("\n") + 1
        yield Block(
            match["kind"],
            match["code"],
            f"{page.name}:{line}",
            (match["note"] or "").startswith("parsed only: "),
            following["code"] if has_output else None,
            has_output and following["note"] == "numbers vary",
        )


def sentences_of(page):
    """The text of a page without its blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def commands_of(code):
    """The commands of a script, as lists of words."""
    for line in code.replace("\\\n", " ").replace("|\n", "| ").splitlines():
        words = shlex.split(line, comments=True)
        for is_end, group in itertools.groupby(words, lambda word: word in ("|", "&&")):
            if not is_end:
                yield list(group)


def difference(block, printed):
    """The first line that was shown but not printed; empty if there is none."""
    lines = iter(filter(str.strip, printed.splitlines()))
    may_skip = False
    for line in filter(str.strip, block.output.splitlines()):
        if line.strip() == "...":
            may_skip = True
            continue
        actual = next(lines, "the end")
        while may_skip and actual != "the end" and not agree(line, actual):
            actual = next(lines, "the end")
        if not agree(line, actual, block.numbers_vary):
            return f"shown {line!r}, printed {actual!r}"
        may_skip = False
    rest = next(lines, None)
    return "" if may_skip or rest is None else f"also printed {rest!r}"


def agree(shown, printed, numbers_vary=False):
    """Whether two lines have the same words and nearly the same numbers."""
    shown, dots, _ = shown.partition("...")
    if dots:
        printed = printed[: len(shown)]
    words = [" ".join(_NUMBER.sub("#", line).split()) for line in (shown, printed)]
    if words[0] != words[1]:
        return False
    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(printed), strict=True)
    return numbers_vary or all(
        float(a) == pytest.approx(float(b), rel=0.02, abs=0.002) for a, b in pairs
    )
