"""How this package's kernels are compiled.

Machine code is cached on disk for each processor type. Numba checks only the file of
the kernel for changes: delete `__pycache__` after editing functions that it calls in
another.
"""

from numba import njit

_OPTIONS = {"fastmath": True, "error_model": "numpy", "nogil": True}

# For functions that kernels call.
inline = njit(**_OPTIONS)


def kernel(function):
    """Compiles a function that Python calls, and caches the machine code on disk."""
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # Neither the package's folder nor the user's is writable.
        return njit(**_OPTIONS)(function)
