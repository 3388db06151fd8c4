"""What some file systems lack: locks, symbolic links, and folders that can be synced.

Lustre and some NFS have no `flock`, exFAT and SMB no symbolic links, and some refuse
to sync folders. Each has a substitute here, and a run says at its beginning which it
uses.
"""

import contextlib
import errno
import fcntl
import os
import socket
import time
import uuid
from collections.abc import Iterator

from absl import logging

# What system calls answer that a file system does not have.
_UNSUPPORTED = frozenset(
    getattr(errno, name)
    for name in ("ENOSYS", "ENOLCK", "EOPNOTSUPP", "ENOTSUP", "EINVAL", "EPERM")
)
# Some answer so to what they have not, for folders.
_UNSYNCED = _UNSUPPORTED | {errno.EBADF, errno.EACCES, errno.EISDIR}
_POLL = 0.2  # seconds between two looks at a lock that is waited for
_MAX_LINK = 256  # bytes of a file that stands for a link


class LockedError(Exception):
    """A lock is held by another process; the text says by which, if that is known."""


@contextlib.contextmanager
def exclusive(path: str | os.PathLike, *, wait: bool = False) -> Iterator[None]:
    """Holds a lock as long as the block lasts.

    Without `flock` on the file system, a file next to it marks the lock (the package
    filelock falls back for ENOSYS only). The mark of a process that was killed is taken
    over on the same machine.

    Args:
        path: the file that is locked, on this machine; it is created, and stays.
        wait: wait until the lock is free, else fail at once.

    Raises:
        LockedError: another process holds it.
        OSError: the file cannot be created.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise LockedError("by a process on this machine or another") from error
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            with _marked(f"{os.fspath(path)}.held", wait):
                yield
            return
        yield
    finally:
        os.close(descriptor)


def make_link(target: str, path: str | os.PathLike) -> None:
    """Makes a symbolic link, or a text file that stands for one, at once.

    Args:
        target: relative path of what it points to.
        path: the link; one that exists is replaced.

    Raises:
        OSError: it cannot be written.
    """
    aside = f"{os.fspath(path)}.{uuid.uuid4().hex}"
    aside = os.path.join(os.path.dirname(aside), "." + os.path.basename(aside))
    try:
        try:
            os.symlink(target, aside)
        except (OSError, NotImplementedError) as error:
            if getattr(error, "errno", errno.ENOSYS) not in _UNSUPPORTED:
                raise
            with open(aside, "w", encoding="utf-8") as file:
                file.write(f"{target}\n")
        os.replace(aside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)


def follow(path: str | os.PathLike) -> str:
    """The folder that a text file of `make_link` stands for; other paths as they are.

    Args:
        path: any local path.
    """
    path = os.fspath(path)
    try:
        if os.path.isfile(path) and os.path.getsize(path) <= _MAX_LINK:
            with open(path, encoding="utf-8") as file:
                target = file.read().removesuffix("\n")
            folder = os.path.join(os.path.dirname(path), target)
            is_below = ".." not in target.split("/") and not os.path.isabs(target)
            if target and is_below and os.path.isdir(folder):
                return folder
    except (OSError, ValueError):
        pass
    return path


def sync(path: str | os.PathLike) -> None:
    """Waits until a file is on the disk, or a folder where that is possible.

    Raises:
        OSError: a file cannot be written.
    """
    is_folder = os.path.isdir(path)
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in _UNSYNCED:
            raise


def warn_of_substitutes(folder: str | os.PathLike) -> None:
    """Logs once, in one line, what the file system of an output folder lacks.

    Args:
        folder: an existing local folder.

    Raises:
        OSError: nothing can be written there.
    """
    lacking = []
    probe = os.path.join(folder, f".probe.{uuid.uuid4().hex}")
    descriptor = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if not _works(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX), _UNSUPPORTED):
            lacking.append("locks (a file marks the run; start one at a time)")
        if not _works(lambda: os.symlink("x", f"{probe}.link"), _UNSUPPORTED):
            lacking.append("symbolic links (text files stand for them)")
        if not _works(lambda: _sync_folder(folder), _UNSYNCED):
            lacking.append("syncing of folders (a crash of the machine may lose more)")
    finally:
        os.close(descriptor)
        for path in (probe, f"{probe}.link"):
            with contextlib.suppress(OSError):
                os.unlink(path)
    if lacking:
        logging.warning(
            "%s: the file system lacks %s", os.fspath(folder), "; ".join(lacking)
        )


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _works(call, unsupported):
    try:
        call()
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in unsupported:
            return False
        raise
    return True


@contextlib.contextmanager
def _marked(path, wait):
    """Holds a lock by a file that only one process can create."""
    mark = f"{socket.gethostname()} {os.getpid()}"
    while not _create(path, mark):
        holder = _holder(path)
        if holder is None:  # It was killed, or has just ended.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        elif wait:
            time.sleep(_POLL)
        else:
            raise LockedError(f"by {holder}; if that has ended, delete {path}")
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _create(path, mark):
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(mark)
    return True


def _holder(path):
    """Who holds a mark, in words; None if it is a process that has ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            host, _, number = file.read().rpartition(" ")
    except FileNotFoundError:
        return None
    if host == socket.gethostname() and number.isdecimal():
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return None
        except (PermissionError, OverflowError):
            pass
    return f"process {number} on {host}" if host else "another process"
