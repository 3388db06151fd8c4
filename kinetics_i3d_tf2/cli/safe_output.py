"""Standard output on which no name of a file or class acts as a command."""

import contextlib
import re
from typing import TextIO

from ..utils.text import printable

# Ends of lines and tabs are the programs' own.
_KEPT = re.compile(r"(\r?\n|\t)")


class SafeOutput:
    """A text stream that shows control characters of what is written, escaped.

    Args:
        stream: where the text goes; whatever else it has is passed on.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        with contextlib.suppress(AttributeError, ValueError):
            # A terminal may have no letter for a class in another script.
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Writes a text."""
        self._stream.write(escaped(text))
        return len(text)

    def writelines(self, lines) -> None:
        """Writes texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._stream, name)


def escaped(text: str) -> str:
    """A text with its control characters shown, but for ends of lines and tabs."""
    parts = _KEPT.split(text)
    parts[::2] = map(printable, parts[::2])
    return "".join(parts)
