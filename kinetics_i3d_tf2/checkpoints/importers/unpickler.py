"""Reads pickles of arrays without Python's unpickler, which runs what a file names.

A pickle is a program for a small stack machine. The one here knows plain values and
containers; a global of the file is a name, looked up in a table of the functions of
this package that build arrays. Nothing else can be called, and no class of the file
is ever imported.

Source: the opcodes are documented in Python's own `pickletools`.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

# A checkpoint of a training has about 60 opcodes a tensor.
_MAX_OPCODES = 2_000_000
_KEY_TYPES = (str, bytes, int, float, bool, type(None))


class CodeInPickleError(ValueError):
    """A pickle names something that is no array; it was not loaded."""


class Global(NamedTuple):
    """A name of the file: "numpy.dtype", and what builds its values, if anything."""

    name: str
    build: Callable[..., Any] | None


class Rebuilt:
    """A value that is built in steps, as NumPy pickles its own.

    Subclasses have `set_state(state)`, for the opcode `BUILD`, and `stored()`, which
    gives the finished tensor.
    """


def read_pickle(
    file: BinaryIO,
    builders: Mapping[str, Callable[..., Any] | None],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """Reads one pickle, and leaves the file behind it.

    Args:
        file: binary file that can seek.
        builders: functions by the qualified name in the pickle ("numpy.dtype"); None
            for a name that may occur but is not called.
        persistent: makes a value of a persistent id.

    Returns:
        Plain values, and what the builders returned.

    Raises:
        CodeInPickleError: the pickle names something that is not in `builders`.
        ValueError: it is truncated or corrupt.
    """
    machine = _Machine(builders, persistent)
    try:
        for count, (opcode, argument, _) in enumerate(
            pickletools.genops(_Bounded(file))
        ):
            if count > _MAX_OPCODES:
                raise ValueError("the pickle has too many parts for a checkpoint")
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.run(opcode.name, argument)
    except CodeInPickleError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"the pickle is truncated or corrupt: {error}") from error
    raise ValueError("the pickle is truncated")


class _Bounded:
    """A file that never sets memory aside for more bytes than it has left."""

    def __init__(self, file):
        self._file = file
        place = file.tell()
        self._end = file.seek(0, 2)
        file.seek(place)
        self.tell = file.tell
        self.readline = file.readline

    def read(self, size):
        return self._file.read(min(size, self._end - self._file.tell()))


_MARK = object()
_PUSHED = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE "
    "BINUNICODE8 FLOAT BINFLOAT".split()
)
_CONSTANTS = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NO_EFFECT = frozenset(("PROTO", "FRAME"))


class _Machine:
    """The stack and the memo of one pickle."""

    def __init__(self, builders, persistent):
        self.stack = []
        self._memo = {}
        self._builders = builders
        self._persistent = persistent

    def run(self, name, argument):
        """Carries out one opcode."""
        stack = self.stack
        if name in _NO_EFFECT:
            return
        if name in _PUSHED:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in _TUPLES:
            stack.append(tuple(self._pop(_TUPLES[name])))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(self._global(*argument.split(" ", 1)))
        else:
            method = getattr(self, f"_run_{name.lower()}", None)
            if method is None:
                raise CodeInPickleError(
                    f"the pickle has the opcode {name}, which arrays do not need"
                )
            method()

    def _run_stack_global(self):
        module, name = self._pop(2)
        self.stack.append(self._global(module, name))

    def _run_reduce(self):
        function, arguments = self._pop(2)
        if not isinstance(function, Global) or function.build is None:
            raise CodeInPickleError(f"the pickle calls {_name_of(function)}")
        self.stack.append(function.build(*arguments))

    def _run_build(self):
        (state,) = self._pop(1)
        target = self.stack[-1]
        if isinstance(target, Rebuilt):
            target.set_state(state)
        elif not isinstance(target, dict):  # An OrderedDict's attributes: no tensors.
            raise CodeInPickleError(f"the pickle sets the state of {_name_of(target)}")

    def _run_binpersid(self):
        (identity,) = self._pop(1)
        if self._persistent is None:
            raise ValueError("data outside the pickle")
        self.stack.append(self._persistent(identity))

    def _run_tuple(self):
        self.stack.append(tuple(self._pop_mark()))

    def _run_list(self):
        self.stack.append(self._pop_mark())

    def _run_dict(self):
        self._run_setitems(target={})

    def _run_append(self):
        (item,) = self._pop(1)
        self._target(list).append(item)

    def _run_appends(self):
        items = self._pop_mark()
        self._target(list).extend(items)

    def _run_setitem(self):
        key, value = self._pop(2)
        self._set(self._target(dict), key, value)

    def _run_setitems(self, target=None):
        items = self._pop_mark()
        if target is None:
            target = self._target(dict)
        else:
            self.stack.append(target)
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._set(target, key, value)

    def _set(self, target, key, value):
        if not isinstance(key, _KEY_TYPES):
            raise ValueError(f"a key of a dict is a {type(key).__name__}")
        target[key] = value

    def _target(self, kind):
        target = self.stack[-1]
        if not isinstance(target, kind):
            raise ValueError(f"expected a {kind.__name__}, found {_name_of(target)}")
        return target

    def _global(self, module, name):
        qualified = f"{module}.{name}"
        if qualified not in self._builders:
            raise CodeInPickleError(f"the pickle names {qualified}")
        return Global(qualified, self._builders[qualified])

    def _pop(self, count):
        values = self.stack[-count:]
        if len(values) < count or any(value is _MARK for value in values):
            raise ValueError("the stack is empty")
        del self.stack[-count:]
        return values

    def _pop_mark(self):
        start = len(self.stack) - 1
        while start >= 0 and self.stack[start] is not _MARK:
            start -= 1
        if start < 0:
            raise ValueError("there is no mark on the stack")
        values = self.stack[start + 1 :]
        del self.stack[start:]
        return values


def _name_of(value):
    return value.name if isinstance(value, Global) else f"a {type(value).__name__}"
