"""The fuzzer finds what it is to find; the readers survive it."""

import os
import random
import signal
import time
import zipfile

import numpy as np
import processes
import pytest

from fuzz import kinds, runner, sealed
from fuzz.mutations import MUTATIONS, mutate


def test_mutations_follow_from_the_seed():
    content = bytes(range(256)) * 20
    made = [mutate(content, random.Random(seed)) for seed in range(200)]
    assert made == [mutate(content, random.Random(seed)) for seed in range(200)]
    assert {name for _, name in made} == set(MUTATIONS)
    assert all(changed != content for changed, _ in made)


@pytest.mark.parametrize("content", [b"", b"a", b"\0" * 10], ids=repr)
def test_tiny_files_are_damaged_too(content):
    for seed in range(50):
        assert mutate(content, random.Random(seed))[0] != content


def test_sealed_archives_are_whole_archives(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(9), b=np.arange(3))
    content = (tmp_path / "a.npz").read_bytes()
    for seed in range(30):
        changed, _ = sealed.zip_entry(content, random.Random(seed))
        assert changed != content
        (tmp_path / "b.npz").write_bytes(changed)
        with zipfile.ZipFile(tmp_path / "b.npz") as archive:
            assert archive.testzip() is None


def _read(case):
    """A reader with every fault, each for a first letter of its own."""
    (path,) = case.iterdir()
    text = path.read_text()
    if text[0] == "a":
        os.kill(os.getpid(), signal.SIGSEGV)
    if text[0] == "b":
        time.sleep(60)
    if text[0] == "c":
        return np.ones(1 << 26)  # 512 MiB
    if text[0] == "d":
        raise ValueError(f"{path}: is damaged")
    if text[0] == "e":
        raise ValueError("is damaged")
    if text[0] == "f":
        return text[1:]
    return {"g": text}["h"]


@pytest.mark.parametrize(
    ("text", "outcome", "message"),
    [
        ("a", runner.CRASHED, "died of SIGSEGV"),
        ("b", runner.HUNG, "hung"),
        ("c", runner.CRASHED, "MemoryError"),
        ("d", runner.REFUSED, "is damaged"),
        ("e", runner.CRASHED, "does not name the file"),
        ("fright", runner.RIGHT, ""),
        ("fwrong", runner.WRONG, "wrong"),
        ("g", runner.CRASHED, "KeyError"),
    ],
    ids=str,
)
def test_outcomes(tmp_path, text, outcome, message):
    case = tmp_path / "case"
    case.mkdir()
    (case / "file").write_text(text)
    kind = kinds.Kind(None, _read, lambda twin, value: "" if value == twin else value)
    found, received = runner.judge_apart(
        kind, case, "right", seconds=2, memory=1 << 28
    )[:2]
    assert found == outcome
    assert message in received


def test_a_run_is_repeatable_and_keeps_what_failed(tmp_path, monkeypatch):
    def make(folder):
        (folder / "one").mkdir()
        (folder / "one" / "file").write_bytes(b"right" * 10)

    def read(case):
        return (case / "file").read_bytes()

    kind = kinds.Kind(make, read, lambda twin, value: "changed")
    monkeypatch.setitem(kinds.KINDS, "small", kind)
    (row,) = runner.fuzz("small", 3, seed=1, keep=tmp_path)
    assert row.counts == {runner.WRONG: 3}
    assert "| small: one | 3 | 0 | 0 | 0 | 0 | 0 | 3 |" in runner.table([row])
    kept = [(tmp_path / f"small-1-{n}" / "file").read_bytes() for n in range(3)]
    assert runner.fuzz("small", 3, seed=1)[0].failures == row.failures
    assert len(set(kept)) == 3
    assert "silently wrong: changed" in (tmp_path / "small-1-0.txt").read_text()


@pytest.mark.parametrize("name", kinds.KINDS)
@pytest.mark.slow
def test_readers(name, tmp_path):
    """In a process of its own, which forks: this one has started TensorFlow."""
    flags = (f"--kind={name}", "--count=100", f"--keep={tmp_path}")
    done = processes.run("-m", "tests.fuzz", *flags)
    assert f"| {name}" in done.stdout, done.stderr
    failed = [path.read_text() for path in tmp_path.glob("*.txt")]
    if name == "video":
        # FFmpeg's decoders do not notice all damage; see docs/reliability.md.
        failed = [text for text in failed if f": {runner.WRONG}: " not in text]
    assert not failed, "\n".join(failed)
