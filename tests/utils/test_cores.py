"""The processors that a process may use, by affinity and by control groups."""

import math
import os

import pytest

from kinetics_i3d_tf2.utils import cores

V2 = "0::/docker/a1\n"
V1 = "5:memory:/docker/a1\n4:cpu,cpuacct:/docker/a1\n"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (V2, {"docker/a1/cpu.max": "50000 100000\n"}, 0.5),
        (V2, {"docker/a1/cpu.max": "max 100000\n"}, math.inf),
        (V2, {"docker/cpu.max": "300000 100000\n",
              "docker/a1/cpu.max": "max 100000"}, 3),
        (V2, {"cpu.max": "150000 100000\n"}, 1.5),
        (V2, {}, math.inf),
        (V2, {"docker/a1/cpu.max": "nonsense"}, math.inf),
        (V1, {"cpu/docker/a1/cpu.cfs_quota_us": "250000\n",
              "cpu/docker/a1/cpu.cfs_period_us": "100000\n"}, 2.5),
        (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000"},
         math.inf),
        (None, {}, math.inf),
    ],
    ids=["half", "none", "of a parent", "seen from inside", "no files", "unreadable",
         "version 1", "version 1 without", "no Linux"],
)  # fmt: skip
def test_quota(tmp_path, groups, files, expected):
    (tmp_path / "proc").mkdir()
    if groups is not None:
        (tmp_path / "proc" / "cgroup").write_text(groups)
    for name, content in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert cores.cpu_quota(tmp_path / "proc", tmp_path / "groups") == expected


@pytest.mark.parametrize(
    ("quota", "expected"), [(0.5, 1), (1.5, 2), (64, 3), (math.inf, 3)]
)
def test_number_of_cores(monkeypatch, quota, expected):
    monkeypatch.setattr(cores, "cpu_quota", lambda: quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert cores.num_cores() == expected
