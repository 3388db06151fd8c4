"""Errors as one line of text."""

import os

from .remote.addresses import redact


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
