"""Reads pickles of arrays without Python's unpickler, which runs the code they name.

A pickle is a program for a small stack machine. `pickle_machine` implements the opcodes
for plain values and containers. A global is only looked up in a table of this package's
own functions, which build arrays; nothing else can be called, and no module or class
named in the file is imported.

Source: the opcodes as documented in `pickletools`.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from .pickle_machine import CodeInPickleError, Machine

# A training checkpoint has about 60 opcodes per tensor.
_MAX_OPCODES = 2_000_000


def read_pickle(
    file: BinaryIO,
    builders: Mapping[str, Callable[..., Any] | None],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """Reads one pickle. The file is then positioned behind it.

    Args:
        file: seekable binary file.
        builders: functions by qualified name in the pickle ("numpy.dtype"); None for
            names that are allowed but never called.
        persistent: converts a persistent id to a value.

    Returns:
        Plain values, and the results of the builders.

    Raises:
        CodeInPickleError: the pickle refers to a name that is not in `builders`.
        ValueError: the pickle is truncated or corrupt.
    """
    machine = Machine(builders, persistent)
    opcodes = enumerate(pickletools.genops(_Bounded(file)))
    try:
        for count, (opcode, argument, _) in opcodes:
            if count > _MAX_OPCODES:
                raise ValueError("too many opcodes for a checkpoint")
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.run(opcode.name, argument)
    except CodeInPickleError:
        raise
    except (
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"the pickle is truncated or corrupt: {error}") from error
    raise ValueError("the pickle is truncated")


class _Bounded:
    """A file that never allocates more bytes for a read than it has left."""

    def __init__(self, file):
        self._file = file
        place = file.tell()
        self._end = file.seek(0, 2)
        file.seek(place)
        self.tell = file.tell
        self.readline = file.readline

    def read(self, size):
        return self._file.read(min(size, self._end - self._file.tell()))
