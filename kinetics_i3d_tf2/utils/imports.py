"""Contexts in which modules are executed when they are first imported."""

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator

_Context = Callable[[], contextlib.AbstractContextManager]


def wrap_import(name: str, context: _Context) -> None:
    """Has a module executed within a context, whenever it is imported first.

    Args:
        name: the module's; one that is imported already stays as it is.
        context: makes the context manager. Later ones surround earlier ones.
    """
    finders = [finder for finder in sys.meta_path if isinstance(finder, _Finder)]
    if not finders:
        finders = [_Finder()]
        sys.meta_path.insert(0, finders[0])
    contexts = finders[0].contexts.setdefault(name, [])
    if context not in contexts:
        contexts.append(context)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Never searches for garbage among what is made within, a million objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class _Finder:
    """Finds modules as the other finders do."""

    def __init__(self):
        self.contexts: dict[str, list[_Context]] = {}

    def find_spec(self, name, path=None, target=None):
        if name not in self.contexts:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                break
        else:
            return None
        run = spec.loader.exec_module

        def exec_module(module):
            with contextlib.ExitStack() as stack:
                for context in reversed(self.contexts[name]):
                    stack.enter_context(context())
                run(module)

        spec.loader.exec_module = exec_module
        return spec
