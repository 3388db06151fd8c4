"""`i3d` in a forked process: everything is imported already, so that it starts fast."""

import ctypes
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence

_CAPABILITIES = 0x20080522  # Version 3 of Linux' structure.
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


class Process:
    """A run of `i3d ARGUMENTS`.

    Args:
        arguments: what follows `i3d`.
        setup: called in the process before.
    """

    def __init__(self, arguments: Sequence[str], setup: Callable[[], None] = int):
        self.output = b""
        self.status = None
        self._pipe, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._id = os.fork()
        if self._id == 0:
            os.close(self._pipe)
            _child(arguments, setup, writer)
        os.close(writer)

    def wait(self, seconds: float = 300.0) -> int | None:
        """The exit status; None if it is still running after some time."""
        end = time.monotonic() + seconds
        while self.status is None:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if select.select([self._pipe], [], [], min(left, 0.05))[0]:
                self.output += os.read(self._pipe, 1 << 16)
            done, status = os.waitpid(self._id, os.WNOHANG)
            if done:
                self._finish(status)
        return self.status

    def kill(self) -> None:
        """Kills it, and not its children, which have to notice."""
        if self.status is None:
            os.kill(self._id, signal.SIGKILL)
            self._finish(os.waitpid(self._id, 0)[1])

    def _finish(self, status):
        self.status = os.waitstatus_to_exitcode(status)
        # Children that go on for a moment hold the pipe's other end.
        while select.select([self._pipe], [], [], 0.2)[0]:
            piece = os.read(self._pipe, 1 << 16)
            if not piece:
                break
            self.output += piece
        os.close(self._pipe)

    @property
    def error(self) -> str:
        """The last line that it wrote."""
        lines = self.output.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def limit_files(size: int) -> None:
    """Lets no file of this process grow beyond some bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def obey_permissions() -> None:
    """Takes from root the right to write where nobody may."""
    library = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    sets = (ctypes.c_uint32 * 6)()  # Effective, permitted, inheritable; twice.
    if library.capget(head, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for place in range(3):
        sets[place] &= ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    if library.capset(head, sets):
        raise OSError(ctypes.get_errno(), "capset")


def _child(arguments, setup, writer):
    status = 1
    try:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)
        sys.stdout = open(1, "w", closefd=False)  # Its own buffer, over the pipe.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        setup()
        from kinetics_i3d_tf2.cli import main

        main.main(list(arguments))
        status = 0
    except SystemExit as caught:
        status = caught.code if isinstance(caught.code, int) else int(bool(caught.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
