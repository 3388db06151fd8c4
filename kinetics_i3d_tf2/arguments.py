"""Unknown arguments are errors that name the argument that was probably meant.

Keras ignores arguments that a model does not have, and Python names none that is near.
"""

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T", bound=Callable)


def suggest_arguments(target: _T) -> _T:
    """Decorates a function or class to reject arguments that it does not have.

    A class may pass on what it does not know: arguments of the base classes are known
    too.

    Args:
        target: function, or class whose constructor is checked, in place.

    Returns:
        The wrapped function, or the same class. Both raise a TypeError for an unknown
        argument.

    Examples:
        >>> InceptionI3d(num_class=3)
        Traceback (most recent call last):
        TypeError: InceptionI3d() has no argument 'num_class'; did you mean
        'num_classes'?
    """
    if not inspect.isclass(target):
        return _checked(target, target.__name__, _named(target))
    if target.__init__ is object.__init__:  # Named tuples have no other constructor.
        known = _named(target.__new__)
        target.__new__ = _checked(target.__new__, target.__name__, known)
    else:
        known = _of_class(target)
        target.__init__ = _checked(target.__init__, target.__name__, known)
    return target


def _checked(function, title, known):
    @functools.wraps(function)
    def checked(*args, **kwargs):
        if known is not None and not known.issuperset(kwargs):
            unknown = next(name for name in kwargs if name not in known)
            raise TypeError(f"{title}() has no argument {_near(unknown, known)}")
        return function(*args, **kwargs)

    # Keras looks at the names of the constructor's arguments.
    checked.__signature__ = inspect.signature(function)
    return checked


def _near(name, known):
    near = difflib.get_close_matches(name, sorted(known), n=1)
    if near:
        return f"{name!r}; did you mean {near[0]!r}?"
    return f"{name!r}; it has {', '.join(sorted(known)) or 'none'}"


def _named(function):
    """Names of a function's arguments; None if it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters if p.kind is not p.VAR_POSITIONAL}


def _of_class(cls):
    """Names of a constructor's arguments, and of those that it passes on."""
    names = set()
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        names |= {
            p.name
            for p in parameters
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
