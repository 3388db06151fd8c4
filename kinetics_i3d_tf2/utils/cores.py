"""Processors that this process may use."""

import math
import os
from pathlib import Path


def num_cores() -> int:
    """Number of processors that this process may use, at least 1.

    Those that it may run on, or fewer where its control group has a quota of their
    time: `docker --cpus=0.5` gives 1.
    """
    if hasattr(os, "sched_getaffinity"):  # A container's, not its host's.
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, cpu_quota())))


def cpu_quota(proc: str = "/proc/self", cgroups: str = "/sys/fs/cgroup") -> float:
    """Processors' worth of time that Linux control groups grant this process.

    Args:
        proc: folder of the process.
        cgroups: where control groups are mounted.

    Returns:
        The smallest quota of its group and those above, of version 2 or 1; infinity
        without one, and on other systems.
    """
    try:
        lines = Path(proc, "cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    quota = math.inf
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            root, read = Path(cgroups), _read_v2
        elif "cpu" in controllers.split(","):
            root, read = Path(cgroups, "cpu"), _read_v1
        else:
            continue
        group = Path(path.lstrip("/"))
        # In a container, the path may be the host's: then only the root is there.
        for folder in (root / group, *(root / parent for parent in group.parents)):
            quota = min(quota, read(folder))
    return quota


def _read_v2(folder):
    """Quota of a group of version 2: "max 100000" or "50000 100000"."""
    try:
        share, period = (folder / "cpu.max").read_text().split()
        return math.inf if share == "max" else int(share) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf


def _read_v1(folder):
    """Quota of a group of version 1; -1 is none."""
    try:
        share = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return math.inf if share <= 0 else share / period
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
