"""File systems without locks, links or syncing of folders, and their substitutes."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading

import pytest

from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import find_prefix
from kinetics_i3d_tf2.utils import file_system, run_dir

# As Lustre, NFS, exFAT and SMB answer.
ERRORS = [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS]


def raising(number, when=lambda *args: True, real=None):
    def call(*args, **kwargs):
        if when(*args):
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    return call


@pytest.fixture(params=ERRORS, ids=lambda number: errno.errorcode[number])
def no_locks(monkeypatch, request):
    monkeypatch.setattr(fcntl, "flock", raising(request.param))


@pytest.fixture
def no_links(monkeypatch):
    monkeypatch.setattr(os, "symlink", raising(errno.EPERM))


@pytest.fixture
def no_folder_sync(monkeypatch):
    is_folder = lambda descriptor: os.path.isdir(f"/proc/self/fd/{descriptor}")  # noqa: E731
    monkeypatch.setattr(os, "fsync", raising(errno.EINVAL, is_folder, os.fsync))


def test_a_run_without_locks(tmp_path, no_locks, caplog):
    with run_dir.only_run(tmp_path):
        with pytest.raises(ValueError, match="another run is writing there; it is loc"):
            with run_dir.only_run(tmp_path):
                pass
        assert f"process {os.getpid()} on" in (
            "process " + (tmp_path / ".lock.held").read_text().split()[-1] + " on"
        )
    assert not (tmp_path / ".lock.held").exists()
    assert caplog.text.count("the file system lacks locks") == 1
    with run_dir.only_run(tmp_path):
        pass


def test_a_killed_run_without_locks(tmp_path, no_locks):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    held = tmp_path / ".lock.held"
    held.write_text(f"{socket.gethostname()} {done.stdout.strip()}")
    with run_dir.only_run(tmp_path):
        assert held.read_text().endswith(f" {os.getpid()}")
    held.write_text("another-machine 1")
    message = "by process 1 on another-machine; if that has ended, delete .*lock.held"
    with pytest.raises(ValueError, match=message):
        with run_dir.only_run(tmp_path):
            pass


@pytest.mark.parametrize("locks", [True, False])
def test_waiting_for_a_lock(tmp_path, monkeypatch, locks):
    if not locks:
        monkeypatch.setattr(fcntl, "flock", raising(errno.ENOLCK))
    path, order = tmp_path / "lock", []

    def wait():
        with file_system.exclusive(path, wait=True):
            order.append("second")

    with file_system.exclusive(path):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_other_errors_are_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        with file_system.exclusive(tmp_path / "lock"):
            pass


@pytest.mark.parametrize("links", [True, False])
def test_links_to_checkpoints(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "symlink", raising(errno.EPERM))
    for step in ("00000001", "00000002"):
        (tmp_path / "checkpoints" / step).mkdir(parents=True)
        (tmp_path / "checkpoints" / step / "model.ckpt.index").touch()
        file_system.make_link(f"checkpoints/{step}", tmp_path / "last")
    assert (tmp_path / "last").is_symlink() == links
    folder = file_system.follow(tmp_path / "last")
    assert os.path.samefile(folder, tmp_path / "checkpoints/00000002")
    prefix = find_prefix(tmp_path / "last")
    assert os.path.samefile(prefix.parent, folder) and prefix.name == "model.ckpt"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "last"]


@pytest.mark.parametrize("text", ["", "../secret", "/etc", "a\nb", "\0", 999 * "x"])
def test_other_files_are_no_links(tmp_path, text):
    (tmp_path / "secret").mkdir()
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "last"
    path.write_text(text)
    assert file_system.follow(path) == str(path)


def test_folders_that_cannot_be_synced(tmp_path, no_folder_sync, caplog):
    with run_dir.only_run(tmp_path), run_dir.atomic_folder(tmp_path / "a") as folder:
        (folder / "file").write_text("whole")
    assert (tmp_path / "a" / "file").read_text() == "whole"
    assert "the file system lacks syncing of folders" in caplog.text


def test_all_is_said_in_one_line(tmp_path, no_links, no_folder_sync, caplog):
    with run_dir.only_run(tmp_path):
        pass
    assert len(caplog.records) == 1
    assert "lacks symbolic links" in caplog.text and "; syncing" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_nothing_is_said_of_a_usual_file_system(tmp_path, caplog):
    with run_dir.only_run(tmp_path):
        pass
    assert not caplog.records
