"""Names of output files made from what a data set holds: paths, ids, splits.

Whatever the input, a name stays below the output folder, and no two inputs share one.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable

# Separators of other systems too, and what no terminal or encoding can show.
_UNSAFE = re.compile(
    "[/\\\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# File systems allow 255 bytes, some of which suffixes and temporary names need.
_MAX_PART = 160
_MAX_PATH = 1000
_DIGITS = (8, 16, 64)  # of a hash at the end of a name


def safe_part(text: str) -> str:
    """A name of a file or folder, without a suffix.

    Args:
        text: any text.

    Returns:
        The text itself if it can be such a name. Else separators, control characters
        and dots at its beginning are replaced by underscores, it is shortened, and a
        hash of the text follows, so that different texts keep different names.

    Examples:
        >>> safe_part("jumping jacks"), safe_part("../../secret")
        ('jumping jacks', '___.._secret-83c05c33')
    """
    safe = _UNSAFE.sub("_", text) or "_"
    safe = re.sub(r"^\.+", lambda dots: "_" * len(dots[0]), safe)
    if len(safe.encode()) > _MAX_PART:
        safe = safe.encode()[: _MAX_PART - 10].decode(errors="ignore")
    return safe if safe == text else f"{safe}-{_hash(text)[:8]}"


def safe_path(path: str) -> str:
    """A relative path of `safe_part`s from a relative path of any kind.

    Args:
        path: parts between slashes; empty parts are left out.
    """
    parts = [safe_part(part) for part in path.split("/") if part]
    joined = "/".join(parts) or "_"
    return joined if len(joined.encode()) <= _MAX_PATH else _hash(path)


class OutputNames:
    """Gives out names below one folder, each once.

    Names that differ in case alone, which are one on some file systems, count as the
    same, and so do a file and a folder of one name.

    Args:
        outputs: the files, relative to the folder, that a name stands for.
        reserved: other files in the folder.
    """

    def __init__(
        self,
        outputs: Callable[[str], Iterable[str]] = lambda name: (name,),
        reserved: Iterable[str] = (),
    ):
        self._outputs = outputs
        self._files, self._folders = set(), set()
        for path in reserved:
            self._take(path)

    def claim(self, *candidates: str, owner: str) -> str:
        """Gives out the first candidate that is free.

        Args:
            *candidates: names, best first.
            owner: identifies the input among all. If no candidate is free, a hash of it
                is added to the last.

        Returns:
            The name.

        Raises:
            ValueError: the owner has a name already.
        """
        # A part of its path may be a file of another.
        last = (candidates[-1], candidates[-1].replace("/", "_"))
        hashed = (f"{n}-{_hash(owner)[:digits]}" for n in last for digits in _DIGITS)
        for name in (*candidates, *hashed):
            if self.is_free(name):
                self.reserve(name)
                return name
        raise ValueError(f"two inputs are the same: {owner!r:.200}")

    def is_free(self, name: str) -> bool:
        """Whether none of a name's files is taken."""
        for path in map(_key, self._outputs(name)):
            above = _folders_above(path)
            if path in self._files or path in self._folders or self._files & above:
                return False
        return True

    def reserve(self, name: str) -> None:
        """Takes a name, free or not."""
        for path in self._outputs(name):
            self._take(path)

    def _take(self, path):
        path = _key(path)
        self._files.add(path)
        self._folders |= _folders_above(path)


def _key(path):
    return unicodedata.normalize("NFC", path).casefold()


def _folders_above(path):
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _hash(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
