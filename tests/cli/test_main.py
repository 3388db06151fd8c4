"""The command `i3d`: its help, its suggestions, its exit status."""

import json

import programs
import pytest

import kinetics_i3d_tf2
from kinetics_i3d_tf2.cli.main import COMMANDS

HELP = """
import contextlib, io, json, sys
from kinetics_i3d_tf2.cli import main
heavy = ("tensorflow", "keras", "jax", "torch", "apache_beam", "matplotlib")
with contextlib.redirect_stdout(io.StringIO()) as out:
    try:
        main.main(sys.argv[1:])
    except SystemExit as status:
        code = status.code
print(json.dumps([code, out.getvalue(), [n for n in heavy if n in sys.modules]]))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_needs_no_tensorflow(python, command):
    done = python("-c", HELP, command, "--help")
    assert done.returncode == 0, done.stderr
    code, text, heavy = json.loads(done.stdout)
    assert (code, heavy) == (0, [])
    assert text.startswith(f"usage: i3d {command} [--flag=value ...]\n")
    assert f"  i3d {command}" in text  # An example.
    assert max(map(len, text.splitlines())) <= 88


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)], ids=str)
def test_help_lists_the_commands(arguments):
    done = programs.run(*arguments)
    assert done.returncode == 0
    for name, summary in COMMANDS.items():
        assert f"  {name:<14}{summary}\n" in done.stdout


@pytest.mark.parametrize("flag", ["-h", "--help", "--helpshort", "--helpfull"])
def test_flags_come_in_groups(flag):
    text = programs.run("evaluate", flag).stdout
    assert text.index("\nFlags:") < text.index("\nDataset:")
    assert "  --protocol:\n" in text and "  --[no]flip:\n" in text
    assert "      Streams to run: both, " in text  # Without absl's <joint|rgb|...>.
    assert text.count("joint | rgb | flow") == 1
    assert text == programs.run("evaluate", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "i3d: error: Unknown command 'trian'. Did you mean train? See"),
        (["zzz"], "i3d: error: Unknown command 'zzz'. See i3d --help"),
        (["train", "--recipie=a"], "i3d train: error: Unknown command line flag 'rec"),
        (["train", "--recipie=a"], "Did you mean: recipe"),
        (["fvd", "--max_frames"], "i3d fvd: error: Unknown command line flag"),
    ],
)
def test_mistakes(arguments, message):
    done = programs.run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_version():
    expected = f"kinetics-i3d-tf2 {kinetics_i3d_tf2.__version__}\n"
    assert programs.run("--version").stdout == expected


def test_python_m(python):
    done = python("-m", "kinetics_i3d_tf2", "nonsense")
    assert done.returncode == 2
    assert done.stderr == "i3d: error: Unknown command 'nonsense'. See i3d --help\n"
