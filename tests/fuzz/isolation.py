"""Calls a function in a forked process with a limit on memory and on time."""

import faulthandler
import os
import pickle
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

# Beyond what the parent has mapped already: a process of 4 GiB lives.
MEMORY = 4 << 30
SECONDS = 30.0


class Ended(NamedTuple):
    """How the process ended."""

    value: Any  # what the function returned; None unless `how` is ""
    how: str  # "", "hung", or how it died: a signal or a traceback
    peak: int  # largest resident memory in bytes


def call(
    function: Callable[[], Any], *, seconds: float = SECONDS, memory: int = MEMORY
) -> Ended:
    """Calls a function, whose result can be pickled.

    The process is a fork: what the parent has imported is there at once. The parent
    must not have started threads that hold locks, so it runs nothing of TensorFlow.
    """
    receiver, sender = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        os.close(receiver)
        _child(function, sender, memory)
    os.close(sender)
    try:
        content = _received(receiver, time.monotonic() + seconds)
    finally:
        os.close(receiver)
    if content is None:
        os.kill(process, signal.SIGKILL)
    _, status, usage = os.wait4(process, 0)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if content is None:
        return Ended(None, "hung", peak)
    if status:
        return Ended(None, _death(os.waitstatus_to_exitcode(status)), peak)
    return Ended(*pickle.loads(content), peak)


def _child(function, sender, memory):
    status = 1
    try:
        faulthandler.disable()  # pytest's, to another file.
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = _mapped() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            answer = function(), ""
        except Exception:
            answer = None, traceback.format_exc()
        with open(sender, "wb") as file:
            pickle.dump(answer, file)
        status = 0
    finally:
        os._exit(status)


def _received(receiver, end):
    """What the child sent until it closed the pipe; None if time ran out."""
    content = b""
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([receiver], [], [], left)[0]:
            return None
        piece = os.read(receiver, 1 << 20)
        if not piece:
            return content
        content += piece


def _mapped():
    """Bytes of this process's address space; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _death(code):
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    return f"ended with status {code}"
