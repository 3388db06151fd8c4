"""Errors of Beam's pipelines are one line."""

import sys

import pytest

from kinetics_i3d_tf2.utils.beam_errors import PipelineError, as_pipeline_errors

TEXT = """Traceback (most recent call last):
  File "a.py", line 1, in b
OSError: c: cannot be written: File too large [while running 'Map(d)']
"""


def test_what_a_worker_prints_is_not_shown(capsys):
    with (
        pytest.raises(PipelineError, match="^c: cannot be written: File too large$"),
        as_pipeline_errors(),
    ):
        print("Preparing", file=sys.stderr)
        print(TEXT, file=sys.stderr)
        raise RuntimeError(TEXT)
    assert capsys.readouterr().err == "Preparing\n"
