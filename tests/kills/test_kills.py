"""Programs that write survive `kill -9`, a second process and a full disk."""

import pytest

from kills import trials


# `python -m tests.kills` tries every program, which takes long.
@pytest.mark.slow
@pytest.mark.parametrize("program", ["prepare", "features", "checkpoint import"])
def test_what_is_killed_resumes(program):
    (row,) = trials.run([program], count=1)
    assert row.kills and not row.failures
