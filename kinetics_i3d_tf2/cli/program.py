"""What programs of this project share: how they start, fail and print numbers."""

import atexit
import contextlib
import logging as standard_logging
import os
import platform
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from absl import app, flags, logging

from ..utils import files
from ..utils.cores import num_cores
from ..utils.imports import without_garbage_collection, wrap_import
from ..utils.text import printable
from . import help_text
from .safe_output import SafeOutput, escaped

# absl's errors for a required flag that is missing, and for a value too many.
_REQUIRED = re.compile(r"Flag (--\w+) must have a value other than None")
_TWICE = re.compile(r"flag --(\w+)=(.*): already defined as (.*)")

# Libraries of remote files that tell where they found credentials.
_CHATTY = ("aiobotocore", "botocore", "google.auth")

HELP = ("-h", "--help", "-help", "--helpfull", "--helpshort")


def run(
    main: Callable[[list[str]], None],
    *,
    module: ModuleType | None = None,
    description: str | None = None,
) -> None:
    """Parses the flags, or shows help; runs `main` and exits with its status.

    Exit status 0, or 2 with one line on standard error for a user's mistake: a bad
    flag, or a ValueError, OSError or MemoryError out of `main`; `--verbosity=1` shows
    the traceback, and the whole list of a `DetailedError`.

    Args:
        main: takes the positional arguments (the program's name first).
        module: that defines the flags, by default the main one. With
            `KEEPS_UNKNOWN_FLAGS`, flags that are not
            defined are handed to `main` too.
        description: what the program does, for its help; by default the module's
            docstring.
    """
    logging.set_verbosity(logging.INFO)
    logging.get_absl_handler().addFilter(_safe_record)
    sys.stdout = SafeOutput(sys.stdout)
    for name in _CHATTY:
        standard_logging.getLogger(name).setLevel(standard_logging.WARNING)
    _set_up_tensorflow()
    sys.unraisablehook = _unraisable
    module = module or sys.modules["__main__"]
    keep_unknown = getattr(module, "KEEPS_UNKNOWN_FLAGS", False)
    if any(argument in HELP for argument in sys.argv[1:]):
        print_and_exit(help_text.of_program(module, description or module.__doc__))

    def guarded(argv):
        try:
            main(argv)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except (ValueError, OSError, MemoryError) as error:
            logging.debug("Traceback:", exc_info=True)
            for line in getattr(error, "details", ()):
                logging.debug("%s", line)
            _exit_with(error)
        except KeyboardInterrupt:
            sys.exit(130)  # As shells report a program ended by Ctrl-C.

    try:
        app.run(guarded, flags_parser=lambda argv: _parse_flags(argv, keep_unknown))
    except BrokenPipeError:
        # The reader, such as `head`, has had enough; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_and_exit(text: str) -> None:
    """Prints a text and exits with status 0, also if nobody reads it to the end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def skip_shutdown(status: int) -> None:
    """Makes the process exit without waiting for its threads.

    TensorFlow's threads that read clips wait for Python, and Python's own shutdown
    waits for them.

    Args:
        status: exit status.
    """
    atexit.register(exit_at_once, status)


def exit_at_once(status: int) -> None:
    """Writes what is buffered, and ends the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def print_error(error: BaseException) -> None:
    """Writes an error to standard error, on one line, with the program's name."""
    text = str(error)
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes):
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"  # Without its number.
    line = printable(files.redact(" ".join(text.split()))) or "out of memory"
    print(f"{Path(sys.argv[0]).name}: error: {line}", file=sys.stderr, flush=True)


def six_digits(value: float) -> str:
    """A number as the release's NumPy printed a float32: 1.0, 41.8137, 1.5e-09."""
    text = f"{value:.6g}"
    return text + ".0" if text.lstrip("-").isdigit() else text


def reject_positional(argv: list[str]) -> None:
    """Refuses stray arguments, and says what was probably meant.

    Args:
        argv: what `main` received.

    Raises:
        ValueError: there is an argument besides the program's name.
    """
    reject_values_of_switches(argv)
    if len(argv) > 1:
        raise ValueError(f"Unknown argument '{argv[1]}'; flags are typed --name=value")


def reject_values_of_switches(argv: list[str]) -> None:
    """Refuses `--switch false`, where 'false' is an argument of its own.

    The release took `--imagenet_pretrained false` for true and a stray 'false'.

    Args:
        argv: what `main` received.

    Raises:
        ValueError: the word before a positional argument is a switch.
    """
    for stray in argv[1:]:
        before = sys.argv[sys.argv.index(stray) - 1] if stray in sys.argv else ""
        name = before.lstrip("-")
        if before.startswith("-") and name in flags.FLAGS and flags.FLAGS[name].boolean:
            raise ValueError(
                f"'{before} {stray}' is read as a switch and a stray argument; type "
                f"--{name}={stray}"
            )


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's notes about the machine off standard error.

    Some are written while it is imported, before it knows its own log level; `run`
    wraps the first import, wherever it is. `TF_CPP_MIN_LOG_LEVEL=0` in the environment
    shows them all. The user's `keras.json` does not change the arithmetic of programs,
    which have flags for it.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        yield
        _use_float32()
        return
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
        _use_float32()
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _set_up_tensorflow():
    """Sets what it reads when it is imported, unless the user has."""
    # It sees the processors, not the quota of a container's time.
    for pool in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(pool, str(num_cores()))
    # It leaves oneDNN off on processors without AVX-512 VNNI or the like. There too it
    # is several times faster, and gradients of max pooling are those of GPUs.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    for library in ("tensorflow", "keras"):  # What needs them may import them late.
        wrap_import(library, quiet_tensorflow)
        wrap_import(library, without_garbage_collection)


def _use_float32():
    keras = sys.modules.get("keras")
    # Within its own import, it has no `config` yet.
    if hasattr(keras, "config") and keras.config.floatx() != "float32":
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def _safe_record(record):
    """Hides credentials of addresses in a line of the log, and control characters."""
    record.msg, record.args = escaped(files.redact(record.getMessage())), ()
    return True


def _unraisable(what):
    """Presses Ctrl-C again where Python had to ignore it.

    What it raises in a callback that cannot fail, such as one of garbage collection
    (JAX has one, and Keras imports JAX where it is installed), is reported and lost.
    """
    if issubclass(what.exc_type, KeyboardInterrupt):
        again = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(what)


def _parse_flags(argv, keep_unknown):
    for name in flags.FLAGS:  # Of flags of a list, every value counts.
        flags.FLAGS[name].allow_overwrite = isinstance(
            flags.FLAGS[name], flags.MultiFlag
        )
    try:
        return flags.FLAGS(argv, known_only=keep_unknown)
    except flags.Error as error:
        message = str(error)
        if missing := _REQUIRED.search(message):
            message = f"{missing[1]} is required"
        elif twice := _TWICE.search(message):
            name, second, first = twice.groups()
            message = f"given twice: --{name}={first} and --{name}={second}"
        _exit_with(ValueError(message))
    except SystemExit:
        sys.stdout.flush()
        sys.exit(0)  # absl has shown the help, and would exit with 1.


def _exit_with(error):
    print_error(error)
    sys.exit(2)
