"""Errors of Apache Beam's pipelines, on one line."""

import contextlib
import re
from collections.abc import Iterator


class PipelineError(OSError):
    """A Beam pipeline failed; files that it has finished are kept."""


@contextlib.contextmanager
def as_pipeline_errors() -> Iterator[None]:
    """Turns the error of a pipeline that runs in a block into a `PipelineError`.

    Raises:
        PipelineError: with the worker's message, without its type and traceback.
    """
    try:
        yield
    except RuntimeError as error:  # Beam's, with the whole traceback of a worker.
        # The worker's error, between its type and Beam's step.
        line = str(error).strip().splitlines()[-1]
        line = re.sub(r"^((\w+\.)*\w+(Error|Exception): )+", "", line)
        line = re.sub(r" \[while running .*\]$", "", line)
        raise PipelineError(line) from error
