"""Every program that writes survives `kill -9`, a second process and a full disk."""

import subprocess
import sys

import pytest
from programs import ENVIRONMENT, ROOT


@pytest.mark.slow
def test_every_program():
    """In a process of its own, which forks: this one has started TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--count=2"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
