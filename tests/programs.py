"""Runs the commands of `i3d`, in this process or in one of their own.

Flags are process-wide: a command's are defined when its module is imported, and are
removed with the module when the next command runs.
"""

import atexit
import contextlib
import io
import os
import random
import runpy
import shutil
import signal
import sys
import time
from typing import NamedTuple

import built_models
import processes
import pytest
from absl import flags, logging
from absl.flags import _helpers as absl_helpers
from absl.testing import flagsaver

from kinetics_i3d_tf2.cli import main, program

_COMMANDS = "kinetics_i3d_tf2.cli."
_DISCLAIMED = set(absl_helpers.disclaim_module_ids)


class Finished(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments) -> Finished:
    """Runs `i3d ARGUMENTS` in this process."""
    return run_function(lambda: main.main([*map(str, arguments)]))


def run_script(path, *arguments, **environment) -> Finished:
    """Runs `python PATH ARGUMENTS` in this process, with changes of the environment."""

    def function():
        os.environ.update(environment)
        sys.argv = [*map(str, (path, *arguments))]
        runpy.run_path(sys.argv[0], run_name="__main__")

    return run_function(function)


def run_function(function) -> Finished:
    """Runs what defines flags, parses `sys.argv` and exits, leaving no trace of it."""
    out, error = io.StringIO(), io.StringIO()
    code = 0
    with (
        _restored(),
        built_models.built_once(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
    ):
        logging.get_absl_handler().python_handler.stream = error
        try:
            function()
        except SystemExit as status:
            code = status.code or 0
    if isinstance(code, str):  # As Python does with a text.
        error.write(code + "\n")
        code = 1
    return Finished(code, out.getvalue(), error.getvalue())


def overridden(defaults, flags):
    """Flags with those defaults that they do not set themselves."""
    names = {flag.partition("=")[0] for flag in flags}
    return [*(d for d in defaults if d.partition("=")[0] not in names), *flags]


@contextlib.contextmanager
def running(name):
    """Gives a function that runs a command with its arguments."""
    yield lambda *arguments: run(name, *arguments)


@contextlib.contextmanager
def _restored():
    """Gives back flags, modules, handlers and settings of the process."""
    modules, defined = _take_commands()
    names = set(flags.FLAGS)
    saved = flagsaver.save_flag_values()
    handler = logging.get_absl_handler().python_handler
    stream, verbosity = handler.stream, logging.get_verbosity()
    kinds = (signal.SIGINT, signal.SIGTERM)
    handlers = {kind: signal.getsignal(kind) for kind in kinds}
    argv, folder, hook = sys.argv, os.getcwd(), sys.unraisablehook
    environment, dtypes = dict(os.environ), _keras_dtypes()
    try:
        yield
    finally:
        atexit.unregister(program.exit_at_once)
        _take_commands()
        for name in set(flags.FLAGS) - names:  # Of a script.
            delattr(flags.FLAGS, name)
        sys.modules.update(modules)
        for home, flag in defined:
            flags.FLAGS[flag.name] = flag
            flags.FLAGS.register_flag_by_module(home, flag)
        flagsaver.restore_flag_values(saved)
        handler.stream = stream
        logging.set_verbosity(verbosity)
        for kind, previous in handlers.items():
            signal.signal(kind, previous)
        sys.argv, sys.unraisablehook = argv, hook
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        if dtypes != _keras_dtypes() and None not in dtypes:
            config = sys.modules["keras"].config
            config.set_floatx(dtypes[0])
            config.set_dtype_policy(dtypes[1])


def _take_commands():
    """Removes the commands' modules and flags; returns both."""
    kept = {_COMMANDS + "main", _COMMANDS + "program", _COMMANDS + "help_text"}
    names = [n for n in sys.modules if n.startswith(_COMMANDS) and n not in kept]
    defined = [
        (home, flag)
        for home, of_module in flags.FLAGS.flags_by_module_dict().items()
        if home.startswith(_COMMANDS)
        for flag in list(of_module)
    ]
    for _, flag in defined:
        if flag.name in flags.FLAGS:
            delattr(flags.FLAGS, flag.name)
    key_flags = flags.FLAGS.key_flags_by_module_dict()
    for home in [home for home in key_flags if home.startswith(_COMMANDS)]:
        del key_flags[home]
    # Known by their address, which the next module may have.
    absl_helpers.disclaim_module_ids &= _DISCLAIMED
    package = sys.modules["kinetics_i3d_tf2.cli"]
    for name in names:
        vars(package).pop(name.removeprefix(_COMMANDS), None)
    return {name: sys.modules.pop(name) for name in names}, defined


def _keras_dtypes():
    keras = sys.modules.get("keras")
    if keras is None:
        return None, None
    return keras.config.floatx(), keras.config.dtype_policy()


def start(*arguments, **options) -> processes.Process:
    """Starts `i3d ARGUMENTS` in a process of its own."""
    return processes.Process("-m", "kinetics_i3d_tf2", *arguments, **options)


def stop_halfway(kind, folder, count, whole, name, *arguments, least=1):
    """Sends a program a signal while it is at work; gives its exit status and errors.

    Args:
        kind: the signal.
        folder: what the program writes; removed before.
        count: gives how many of the program's results are there.
        whole: how many there are in the end.
        name: of the program's module.
        arguments: of the program.
        least: how many results to wait for.
    """
    for _ in range(5):  # On a busy machine this process may look too late.
        shutil.rmtree(folder, ignore_errors=True)
        process = start(name, *arguments)
        while process.returncode is None and count() < least:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.05))
        process.send_signal(kind)
        process.wait(60)
        if process.returncode != 0 and least <= count() < whole:
            return process.returncode, process.stderr
    pytest.fail(f"It was never at work: {process.stderr}")
