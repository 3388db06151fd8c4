"""Errors as one line of text, and errors with a long list."""

import math
import os
import re
from collections.abc import Sequence

from .remote.addresses import redact

# More than any input that is within the limits takes in one array.
_MAX_WANTED = 1 << 32
_SHOWN = 4  # lines of a list


class DetailedError(ValueError):
    """An error with a list, of which the message shows the first lines.

    Programs print the whole list with `--verbosity=1`.

    Args:
        message: what is wrong, and how to fix it.
        details: the list.

    Attributes:
        message: as given.
        details: the whole list.
    """

    def __init__(self, message: str, details: Sequence[str]):
        shown = list(details[:_SHOWN])
        if len(details) > _SHOWN:
            shown.append(
                f"and {len(details) - _SHOWN} more (--verbosity=1, or the exception's "
                "details)"
            )
        super().__init__("\n  ".join([message, *shown]))
        self.message = message
        self.details = tuple(details)


def reason(error: BaseException, path: str | os.PathLike = "") -> str:
    """Why something failed, without the path of what failed.

    Args:
        error: any exception.
        path: file or name that the error's text may begin with ("PATH: ").

    Returns:
        The error's text on one line, without that beginning and without credentials;
        the type's name if there is no text.

    Examples:
        >>> reason(ValueError("a.mp4: is an empty file"), "a.mp4")
        'is an empty file'
    """
    text = str(error)
    for name in (os.fspath(path), redact(path)) if path else ():
        text = text.removeprefix(f"{name}: ")
    return " ".join(redact(text).split()) or type(error).__name__


def problem_of(error: Exception, path: str | os.PathLike) -> str:
    """Why one input of many cannot be read; the others go on.

    Args:
        error: raised by reading, decoding or resizing it.
        path: the input.

    Returns:
        As of `reason`.

    Raises:
        MemoryError: the machine's memory ran out, which is not the input's fault. An
            input that asks for gigabytes at once is itself the problem.
    """
    if not _is_out_of_memory(error) or _wanted_bytes(error) > _MAX_WANTED:
        return reason(error, path)
    raise MemoryError(
        f"{redact(path)}: memory ran out while it was read: {reason(error, path)}. "
        "Read fewer inputs at once (--num_readers), or lower --batch_size or "
        "--max_clip_mib"
    ) from error


def _is_out_of_memory(error):
    # Classes of OpenCV and TensorFlow, which this module does not import.
    is_opencv = getattr(error, "code", None) == -4
    is_tensorflow = getattr(error, "error_code", None) == 8
    return isinstance(error, MemoryError) or is_opencv or is_tensorflow


def _wanted_bytes(error):
    """Bytes that NumPy or OpenCV asked for in vain; 0 if unknown."""
    if hasattr(error, "shape") and hasattr(error, "dtype"):
        return math.prod(error.shape) * error.dtype.itemsize
    found = re.search(r"Failed to allocate (\d+) bytes", str(error))
    return int(found[1]) if found else 0
