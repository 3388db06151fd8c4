"""Runs what README.md and docs/ show, exactly as they show it; see `shown`.

Each page runs from top to bottom in a folder of its own with links to the files of a
checkout. Python and commands of `i3d` run in this process, scripts of Python in a fork,
and what needs a shell in bash.
"""

import contextlib
import functools
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import processes
import programs
import pytest
import shown
from conftest import ROOT, environment

from kinetics_i3d_tf2.cli.main import COMMANDS

GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *GUIDES]
CHECKOUT = ("benchmarks", "checkpoints", "data", "evaluate_sample.py", "examples")
# Flags of TensorFlow Serving, Docker, OpenVINO, Apache Beam, TensorBoard and absl.
OTHERS_FLAGS = set(
    "rest_api_timeout_in_ms enable_batching batching_parameters_file gpus opt_out "
    "runner logdir help".split()
)

# A command, which may go on in the next line.
_COMMAND = re.compile(r"(?:[^\n]*\\\n)*[^\n]*\n")
# One of i3d or a script of Python, without anything for a shell.
_PLAIN = re.compile(r"(?:i3d|python \S+\.py) (?:\\\n|[^|&;<>*$\n])+\n")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem.lower())


@pytest.mark.slow
@each_page
def test_what_is_shown_is_what_happens(page, tmp_path, monkeypatch):
    blocks = [block for block in shown.blocks_of(page) if not block.parsed_only]
    if not blocks:
        pytest.skip("nothing to run")
    shell = make_checkout(tmp_path)
    monkeypatch.chdir(tmp_path)
    variables, problems = {"__name__": "__main__"}, []
    for block in blocks:
        if block.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.code, block.place, "exec"), variables)
            printed = out.getvalue()
        else:
            printed = run_block(block, shell)
        if block.output is not None:
            problem = shown.difference(block, printed)
            if problem:
                problems.append(f"{block.place}: {problem}\nPrinted:\n{printed}")
    assert not problems, "\n".join(problems)


def make_checkout(folder):
    """Links the files of a checkout into a folder; gives a shell's variables."""
    for name in CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    (folder / "docs").mkdir()
    names = folder / ".bin"
    names.mkdir()
    for name, module in (("i3d", " -m kinetics_i3d_tf2"), ("python", "")):
        program = names / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
        program.chmod(0o755)
    paths = [names, Path(sys.executable).parent, os.environ["PATH"]]
    return environment(PATH=os.pathsep.join(map(str, paths)))


def run_block(block, shell):
    """Runs the commands of a block; returns what they print."""
    is_one = "<<" in block.code  # Lines that are no commands follow.
    printed = ""
    for command in [block.code] if is_one else _COMMAND.findall(block.code):
        if _PLAIN.fullmatch(command):
            ((program, *arguments),) = shown.commands_of(command)
            run = programs.run if program == "i3d" else processes.run
            done = run(*arguments)
        else:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                env=shell,
                capture_output=True,
                text=True,
                timeout=540,
            )
        assert done.returncode == 0, f"{block.place}: {done.stderr[-3000:]}"
        printed += done.stdout
    return printed


@each_page
def test_commands_and_flags_exist(page):
    scripts = [block.code for block in shown.blocks_of(page) if block.kind == "sh"]
    scripts += re.findall(r"`((?:i3d|make|python) [^`]+)`", shown.sentences_of(page))
    problems = [
        f"{' '.join(command)}: {problem}"
        for script in scripts
        for command in shown.commands_of(script)
        if (problem := problem_of(command))
    ]
    assert not problems, "\n".join(problems)


@each_page
def test_flags_in_sentences_exist(page):
    tools = (ROOT / "tests" / name / "__main__.py" for name in ("fuzz", "kills"))
    others = (ROOT / "examples/client.py", *tools)
    known = flags_in([*(ROOT / "benchmarks").glob("*.py"), *others])
    for command in COMMANDS:
        known |= flags_of(command)
    code = " ".join(re.findall(r"`([^`]+)`", shown.sentences_of(page)))
    unknown = set(re.findall(r"--(\w+)", code)) - known - OTHERS_FLAGS
    assert not unknown


def problem_of(command):
    """What is wrong with a command; empty if nothing is."""
    program, *arguments = command
    names = [a[2:].partition("=")[0] for a in arguments if a.startswith("--")]
    if program == "i3d":
        if arguments[0] == "COMMAND":
            return ""
        known = flags_of(arguments[0])
    elif program == "python" and arguments[0].endswith(".py"):
        path = ROOT / arguments[0]
        if not path.is_file():
            return "there is no such file"
        known = flags_in([path, *(ROOT / "kinetics_i3d_tf2" / "cli").rglob("*.py")])
    elif program == "make":
        targets = (ROOT / "Makefile").read_text(encoding="utf-8")
        return "" if f"\n{arguments[0]}:" in targets else "there is no such target"
    else:
        return ""
    unknown = [name for name in names if name not in known]
    return f"there is no --{unknown[0]}" if unknown else ""


def flags_in(sources):
    """Names that programs may define flags by."""
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    return set(re.findall(r'"(?:--)?(\w+)"', text))


@functools.cache
def flags_of(command):
    """Names of the flags that `i3d COMMAND --help` shows."""
    done = programs.run(command, "--help")
    assert done.returncode == 0, f"i3d {command} --help: {done.stderr}"
    names = re.findall(r"--(\[no\])?(\w+)", done.stdout)
    return {name for _, name in names} | {f"no{name}" for no, name in names if no}


@each_page
def test_python_compiles(page):
    for block in shown.blocks_of(page):
        if block.kind == "python":
            compile(block.code, block.place, "exec")


@each_page
def test_links_to_files_work(page):
    for target in re.findall(r"\]\(([^)#\s]+)", shown.sentences_of(page)):
        if "://" not in target and not target.startswith("reference/"):
            assert (page.parent / target).exists(), target


def test_every_guide_is_linked_from_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    missing = [page.name for page in GUIDES if f"]({page.name})" not in index]
    assert missing == ["index.md"]


def test_the_readme_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150


@pytest.mark.parametrize(
    ("shown_line", "printed", "same"),
    [
        ("0.9978 opening a door", "0.9977 opening a door", True),
        ("0.9978 opening a door", "0.9478 opening a door", False),
        ("0.9978 opening a door", "0.9978 closing a door", False),
        ("see results/...", "see results/x.csv", True),
    ],
)
def test_lines_agree(shown_line, printed, same):
    assert shown.agree(shown_line, printed) == same
