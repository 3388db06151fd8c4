"""The stack machine that pickles are programs for, limited to data."""

from collections.abc import Callable
from typing import Any, NamedTuple

# Python hashes other keys recursively: a deeply nested tuple overflows its stack.
_KEY_TYPES = (str, bytes, int, float, bool, type(None))


class CodeInPickleError(ValueError):
    """A pickle refers to something other than arrays. Nothing was loaded."""


class Global(NamedTuple):
    """A name in the file, "numpy.dtype", and the function that builds its values."""

    name: str
    build: Callable[..., Any] | None


class Rebuilt:
    """Base of values that are built in steps, as NumPy pickles its arrays.

    Subclasses have `set_state(state)` for the opcode `BUILD`, and `stored()`, which
    returns the finished tensor.
    """


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


class Machine:
    """The stack and memo of one pickle.

    Args:
        builders: functions by qualified name, as `unpickler.read_pickle` takes them.
        persistent: converts a persistent id to a value, or None.

    Attributes:
        stack: values that the opcodes left.
    """

    def __init__(self, builders, persistent):
        self.stack = []
        self._memo = {}
        self._builders = builders
        self._persistent = persistent

    def run(self, name, argument):
        """Executes one opcode.

        Args:
            name: its name in `pickletools`.
            argument: its argument in the pickle.

        Raises:
            CodeInPickleError: it would call or change something other than data.
            ValueError: the pickle is corrupt.
        """
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
                    f"the pickle uses the opcode {name}, which arrays do not need"
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
        elif not isinstance(target, dict):  # Attributes of an OrderedDict are dropped.
            raise CodeInPickleError(f"the pickle sets the state of {_name_of(target)}")

    def _run_binpersid(self):
        (identity,) = self._pop(1)
        if self._persistent is None:
            raise ValueError("the pickle refers to data outside the file")
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
        set_item(self._target(dict), key, value)

    def _run_setitems(self, target=None):
        items = self._pop_mark()
        if target is None:
            target = self._target(dict)
        else:
            self.stack.append(target)
        for key, value in zip(items[::2], items[1::2], strict=True):
            set_item(target, key, value)

    def _target(self, kind):
        target = self.stack[-1]
        if not isinstance(target, kind):
            raise ValueError(f"expected a {kind.__name__}, found {_name_of(target)}")
        return target

    def _global(self, module, name):
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a global is named by text")
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


def set_item(target: dict, key: Any, value: Any) -> None:
    """Sets an item of a dict.

    Args:
        target: the dict.
        key: text, bytes, a number or None.
        value: anything.

    Raises:
        ValueError: the key has another type.
    """
    if not isinstance(key, _KEY_TYPES):
        raise ValueError(f"a {type(key).__name__} as a key of a dict")
    target[key] = value


def _name_of(value):
    return value.name if isinstance(value, Global) else f"a {type(value).__name__}"
