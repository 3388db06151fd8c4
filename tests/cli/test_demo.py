"""`i3d demo`: flags, output and errors."""

import programs
import pytest
from conftest import ROOT


def test_it_counts_what_it_has_made(tmp_path):
    folder = tmp_path / "clips"
    flags = ("--train=8", "--val=8", "--processes=1")
    done = programs.run("demo", "make", f"{folder}/", *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"8 clips for training and 8 for validation, of 8 classes, in {folder}\n"
    )
    assert "16/16" in done.stderr
    assert len(list(folder.rglob("*.mp4"))) == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No command; expected: i3d demo make DIR"),
        (("make", "x", "--test=8"), "--test is for --long"),
        (("make", "x", "--long", "--seconds=5"), "flag --seconds=5"),
        (("mkae", "x"), "Unknown command 'mkae'; expected: i3d"),
        (("make",), "No folder; expected: i3d demo make DIR"),
        (("make", "x", "y"), "Unknown argument 'y'; expected: i3d"),
        (("make", "x", "--train=12"), "train must be a multiple of 8"),
        (("make", "x", "--train=0", "--val=0"), "there is nothing to draw"),
        (("make", "x", "--seed=-1"), "-1 is not a non-negative integer"),
        (("make", "setup.py"), "setup.py: is a file; use a folder"),
        (("make", "tests"), "is not part of this dataset; use another"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_mistakes_end_with_one_line(arguments, message):
    done = programs.run("demo", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (ROOT / "x").exists()
