"""Programs that write survive `kill -9`, a second process and a full disk."""

import subprocess
import sys

import pytest
from programs import ENVIRONMENT, ROOT


# `python -m tests.kills` tries every program, which takes long.
@pytest.mark.slow
@pytest.mark.parametrize("program", ["prepare", "features", "checkpoint import"])
def test_what_is_killed_resumes(program):
    """In a process of its own, which forks: this one has started TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--count=2", f"--program={program}"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
