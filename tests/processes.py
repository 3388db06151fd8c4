"""Python in processes of its own that start at once.

They are forks of one process, a worker's own, that has imported TensorFlow and what
else takes seconds. All else is as in a process that starts from nothing, so this is for
what runs or is killed in a process, and not for what is imported there.
"""

import atexit
import contextlib
import ctypes
import gc
import multiprocessing
import os
import resource
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conftest import environment

# None of these starts a thread.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["tensorflow", "keras", "absl.flags", "av", "cv2", "h5py", "tqdm"]
)

_CAPABILITIES = 0x20080522  # Version 3 of Linux' structure.
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


class Process:
    """A run of `python ARGUMENTS`, such as `-m kinetics_i3d_tf2 train`.

    Args:
        arguments: what follows `python`: `-c CODE`, `-m MODULE` or a script, and its
            arguments.
        setup: called in the process before; can be pickled.
        stdin: a descriptor; by default there is nothing to read.
        changes: of the environment.
    """

    def __init__(self, *arguments, setup: Callable = int, stdin=None, **changes):
        self._files = [tempfile.NamedTemporaryFile(prefix="output") for _ in range(2)]
        paths = [os.devnull if stdin is None else f"/proc/{os.getpid()}/fd/{stdin}"]
        paths += [file.name for file in self._files]
        arguments = [*map(str, arguments)]
        self._process = _context.Process(
            target=_run, args=(arguments, setup, paths, environment(**changes))
        )
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """The exit status, or the signal as a negative number; None while it runs."""
        return self._process.exitcode

    @property
    def stdout(self) -> str:
        """What it has written to standard output so far."""
        return Path(self._files[0].name).read_text(errors="replace")

    @property
    def error(self) -> str:
        """The last line on standard error."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def stderr(self) -> str:
        """What it has written to standard error so far."""
        return Path(self._files[1].name).read_text(errors="replace")

    def wait(self, seconds: float = 300.0) -> int | None:
        """Returns the exit status; None if it is still running after some time."""
        self._process.join(max(seconds, 0))
        return self.returncode

    def wait_until(self, condition: Callable[[], bool], seconds: float = 200.0) -> None:
        """Waits for something to happen while it runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.returncode is None, self.stderr
            assert time.monotonic() < end, self.stderr
            time.sleep(0.005)

    def send_signal(self, kind: int) -> None:
        """Sends a signal unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, kind)

    def kill(self) -> None:
        """Kills it, and not its children, which have to notice."""
        self.send_signal(signal.SIGKILL)
        self._process.join()


def run(*arguments, timeout=300, **options) -> Process:
    """Runs Python; returns the finished process."""
    process = Process(*arguments, **options)
    if process.wait(timeout) is None:
        process.kill()
        raise TimeoutError(process.stderr)
    return process


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


def _run(arguments, setup, paths, variables):
    for descriptor, path in enumerate(paths):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND if descriptor else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None  # As $TMPDIR may be another.
    gc.freeze()  # Keeps the garbage collector from what was imported before.
    sys.path[:0] = filter(None, [variables["PYTHONPATH"]])
    setup()
    first, *rest = arguments
    try:
        if first == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif first == "-c":
            sys.argv = ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = arguments
            sys.path.insert(0, os.path.dirname(os.path.realpath(first)))
            runpy.run_path(first, run_name="__main__")
    finally:
        atexit._run_exitfuncs()
