import platform
import subprocess
import sys

import numpy as np
import pytest
from absl import flags
from conftest import ROOT, environment

from kinetics_i3d_tf2.cli import program

PROGRAM = '''
"""A program that greets."""
import gc, os, signal, sys, time
from absl import flags
from kinetics_i3d_tf2.cli import program
flags.DEFINE_boolean("loud", True, "Whether to shout.")
flags.DEFINE_string("name", "you", "Whom to greet.")

def interrupt(*_):
    gc.callbacks.clear()
    signal.raise_signal(signal.SIGINT)

def main(argv):
    program.reject_positional(argv)
    if flags.FLAGS.name == "nobody":
        raise ValueError("nobody\\ncannot be greeted")
    if flags.FLAGS.name == "memory":
        raise MemoryError
    if flags.FLAGS.name == "endless":
        while True:
            print("hello again")
    if flags.FLAGS.name == "interrupted":
        gc.callbacks.append(interrupt)
        gc.collect()
        time.sleep(60)
    if flags.FLAGS.name == "bug":
        raise KeyError("bug")
    if flags.FLAGS.name == "import":
        import tensorflow
        print(gc.isenabled(), gc.get_freeze_count() > 1000)
    if flags.FLAGS.name == "onednn":
        print(os.environ["TF_ENABLE_ONEDNN_OPTS"])
    print("hello", flags.FLAGS.name)

if __name__ == "__main__":
    program.run(main)
'''


@pytest.fixture
def greet(tmp_path, python):
    path = tmp_path / "greet.py"
    path.write_text(PROGRAM)
    return lambda *arguments: python(path, *arguments)


def test_success(greet):
    done = greet("--name=all")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello all\n", "")


def test_no_garbage_is_searched_for_in_what_an_import_makes(greet, tmp_path):
    (tmp_path / "tensorflow.py").write_text("import gc\nprint(gc.isenabled())\n")
    assert greet("--name=import").stdout == "False\nTrue True\nhello import\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="not measured elsewhere")
def test_onednn_is_on_on_every_processor(greet, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    assert greet("--name=onednn").stdout == "1\nhello onednn\n"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert greet("--name=onednn").stdout == "0\nhello onednn\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--name=nobody"], "nobody cannot be greeted"),
        (["--nam=x"], "Unknown command line flag 'nam'. Did you mean: name ?"),
        (["--loud", "false"], "type --loud=false"),
        (["--name=memory"], "out of memory"),
        (["stray"], "Unknown argument 'stray'; flags are typed --name=value"),
    ],
    ids=str,
)
def test_mistakes_end_with_one_line(greet, arguments, line):
    done = greet(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    (received,) = done.stderr.splitlines()
    assert received.startswith("greet.py: error: ")
    assert line in received


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file", "a.csv"), "a.csv: No such file"),
        (FileNotFoundError(2, "No such file", b"a.csv"), "a.csv: No such file"),
        (OSError(28, "No space left"), "[Errno 28] No space left"),
        (ValueError("a\nb"), "a b"),
    ],
    ids=repr,
)
def test_errors_are_lines(error, line, capsys):
    program.print_error(error)
    assert capsys.readouterr().err.endswith(f": error: {line}\n")


@pytest.mark.parametrize(
    ("flag", "first"),
    [
        ("--name=endless", "hello again"),
        ("--helpfull", "usage: greet.py [--flag=value ...]"),
    ],
)
def test_reader_that_has_had_enough(greet, tmp_path, flag, first):
    greet()
    command = f"{sys.executable} {tmp_path / 'greet.py'} {flag} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == first + "\n"


def test_a_bug_keeps_its_traceback(greet):
    done = greet("--name=bug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_ctrl_c_is_not_lost_in_garbage_collection(greet):
    done = greet("--name=interrupted")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_traceback_of_a_mistake_on_request(greet):
    done = greet("--name=nobody", "--verbosity=1")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_help(greet):
    done = greet("--help")
    assert done.returncode == 0
    assert "A program that greets." in done.stdout
    assert "Whom to greet." in done.stdout


def test_reject_positional_without_a_flag_before_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--unknown", "value"])
    assert "unknown" not in flags.FLAGS
    with pytest.raises(ValueError, match="Unknown argument 'value'"):
        program.reject_positional(["program", "value"])
    program.reject_positional(["program"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (41.81371, "41.8137"),
        (1.49716e-09, "1.49716e-09"),
        (21.494, "21.494"),
        (0.000402223, "0.000402223"),
        (7.2048e-09, "7.2048e-09"),
        (-12.0, "-12.0"),
    ],
)
def test_numbers_look_as_the_releases(value, text):
    assert program.six_digits(np.float32(value)) == text
