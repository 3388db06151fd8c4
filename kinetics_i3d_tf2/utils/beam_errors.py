"""Errors of Apache Beam's pipelines, on one line."""

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import TextIO

from absl import logging

_TRACEBACK = "Traceback (most recent call last):"


class PipelineError(OSError):
    """A Beam pipeline failed; files that it has finished are kept."""


@contextlib.contextmanager
def as_pipeline_errors() -> Iterator[None]:
    """Turns the error of a pipeline that runs in a block into a `PipelineError`.

    Tracebacks that its workers print are logged for debugging (`--verbosity=1`).

    Raises:
        PipelineError: with the worker's message, without its type and traceback.
    """
    try:
        with contextlib.redirect_stderr(_WithoutTracebacks(sys.stderr)):
            yield
    except RuntimeError as error:  # Beam's, with the whole traceback of a worker.
        # The worker's error, between its type and Beam's step.
        line = str(error).strip().splitlines()[-1]
        line = re.sub(r"^((\w+\.)*\w+(Error|Exception): )+", "", line)
        line = re.sub(r" \[while running .*\]$", "", line)
        raise PipelineError(line) from error


class _WithoutTracebacks:
    """Standard error on which tracebacks are not printed."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._before = ""

    def write(self, text):
        before, self._before = self._before, text
        if text.startswith(_TRACEBACK):
            logging.debug("%s", text)
        elif not (text == "\n" and before.startswith(_TRACEBACK)):  # Of print().
            self._stream.write(text)
        return len(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)
