"""Errors as one line of text."""

import os


def reason(error: BaseException, path: str | os.PathLike = "") -> str:
    """Why something failed, without the path of what failed.

    Args:
        error: any exception.
        path: file or name that the error's text may begin with ("PATH: ").

    Returns:
        The error's text on one line, without that beginning; the type's name if there
        is no text.

    Examples:
        >>> reason(ValueError("a.mp4: is an empty file"), "a.mp4")
        'is an empty file'
    """
    text = str(error).removeprefix(f"{os.fspath(path)}: ") if path else str(error)
    return " ".join(text.split()) or type(error).__name__
