"""Processors that this process may use."""

import os


def num_cores() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # A container's, not its host's.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
