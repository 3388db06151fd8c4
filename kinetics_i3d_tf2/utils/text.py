"""Text of files and names that others wrote: read as UTF-8, and shown safely."""

import difflib
import os
import re
from collections.abc import Iterable

from . import files

# What moves a terminal's cursor, hides text or turns its direction, and what no
# encoding can write.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def read_text(path: str | os.PathLike) -> str:
    """Reads a UTF-8 file, with or without a byte order mark.

    Args:
        path: the file, local or an address.

    Returns:
        Its text, with line ends as they are.

    Raises:
        OSError: the file does not exist, or may not be read.
        ValueError: it is not UTF-8; the error has the line.
    """
    with files.open_file(path, "rb") as file:
        content = file.read()
    path = files.redact(path)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError(f"{path}, line 1: is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + 3 * content.startswith(b"\xef\xbb\xbf")
        line = content[:start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: is not UTF-8 (byte 0x{content[start]:02x}); save "
            "the file as UTF-8"
        ) from error


def printable(text: object) -> str:
    r"""Escapes control characters, so that a name cannot act on a terminal.

    Args:
        text: what is shown; it is converted to a string.

    Returns:
        The text on one line; what is escaped is shown as in Python (`\x1b`).

    Examples:
        >>> printable("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def near_match(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant.

    Args:
        name: an unknown name.
        known: the known ones.

    Returns:
        The one that differs in case, underscores, hyphens and spaces only; else the
        most similar one; None if none is similar.

    Examples:
        >>> near_match("playing_cricket", ["playing cricket", "zumba"])
        'playing cricket'
    """
    by_letters = {}
    for each in known:
        by_letters.setdefault(_letters(each), each)
    found = difflib.get_close_matches(_letters(name), by_letters, 1, 0.75)
    return by_letters[found[0]] if found else None


def _letters(name):
    return re.sub(r"[\W_]+", "", name).casefold() or name
