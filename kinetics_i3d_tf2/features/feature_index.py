"""index.csv of a folder of features: whose features are in which file."""

import os
from collections.abc import Sequence

from ..data.clips import Clip
from ..data.sources import Input, fingerprints
from ..utils import files as storage
from ..utils import fingerprint
from ..utils.journal import CsvRows, Journal
from ..utils.names import OutputNames
from .files import RESERVED, FeatureFiles

COLUMNS = (
    *("name", "file", "path", "start", "end", "label", "error", "damage"),
    "fingerprint",
)
_PENDING = "not done yet"


class FeatureIndex:
    """The rows of index.csv: one a video, in the file when its features are.

    A video keeps the name that it got first, whatever else is in the folder. Files of
    earlier versions, which have no fingerprints, are read by the times of the files.

    Args:
        folder: the folder of the features, local or an address.
        store: its features.

    Raises:
        OSError: index.csv cannot be read or written.
        ValueError: it is another file.
    """

    def __init__(self, folder: str | os.PathLike, store: FeatureFiles):
        path = storage.join(folder, "index.csv")
        is_new = not storage.exists(path)
        self._folder, self._store = folder, store
        self._journal = Journal(path, CsvRows(COLUMNS, added=2))
        self._rows = {row["name"]: row for row in self._journal.rows}
        # A killed run of an earlier version has left features without rows.
        self._is_older = is_new or self._journal.is_older
        self._fingerprints: dict[str, str] = {}

    def close(self) -> None:
        """Closes index.csv."""
        self._journal.close()

    def name(self, inputs: Sequence[Input]) -> list[Input]:
        """Gives each input the name of its features: that of before, or a free one.

        Args:
            inputs: all inputs of this run.

        Returns:
            The inputs under these names, in order.
        """
        today = fingerprints([each.source for each in inputs])
        found = dict(zip(inputs, today, strict=True))
        owners = {}
        for row in self._rows.values():
            owners.setdefault(_owner_of_row(row), []).append(row["name"])
        names = OutputNames(self._store.outputs, RESERVED)
        for row in self._rows.values():
            names.reserve(row["name"])
        kept, used = {}, set()
        for each in inputs:
            for name in owners.get(_owner(each, found[each]), []):
                if name not in used:
                    kept[each] = name
                    used.add(name)
                    break
        named = []
        for each in inputs:
            name = kept.get(each) or self._inherited(each, found[each], used)
            name = name or names.claim(each.name, owner=_identity(each))
            used.add(name)
            self._fingerprints[name] = found[each]
            named.append(Input(name, each.source))
        for each in named:
            self._adopt(each)
        return named

    def is_done(self, each: Input) -> bool:
        """Whether the features of an input are there, and of its content today."""
        row, today = self._rows.get(each.name), self._fingerprints[each.name]
        if row is None or row["error"] not in ("", _PENDING) or not today:
            return False
        return row["fingerprint"] == today and self._store.has(each.name)

    def is_changed(self, each: Input) -> bool:
        """Whether there are features of an input as it was before."""
        return self._store.has(each.name) and not self.is_done(each)

    def begin(self, left: Sequence[Input]) -> None:
        """Notes whose features are about to be written, and deletes their earlier ones.

        What is there when a run was killed is then known to be of its video, whether or
        not its row was written.

        Args:
            left: inputs whose features are not done.

        Raises:
            OSError: a file cannot be deleted or written.
        """
        changed = [each for each in left if self._store.has(each.name)]
        for each in changed:
            self._store.remove(each.name)
        if changed:
            self._store.close()  # Removes them from an HDF5 file.
        for each in left:
            self._rows[each.name] = self._row(each, _PENDING, "")
        self._journal.replace(self._rows.values())

    def add(self, each: Input, error: str = "", *, damage: str = "") -> None:
        """Adds the row of an input whose features are there, or its error.

        Args:
            each: the input.
            error: why it has no features.
            damage: what is damaged or missing in the video, in words.
        """
        row = self._row(each, error, damage)
        self._rows[each.name] = self._journal.append(row)

    def finish(self, inputs: Sequence[Input], errors: dict[str, str]) -> None:
        """Sorts the rows: those of this run first, in order, then earlier ones.

        Args:
            inputs: all inputs of this run.
            errors: reasons of those that could not be read, by name.

        Raises:
            OSError: index.csv cannot be written; then the rows that are there stay.
        """
        rows = {}
        for each in inputs:
            error = errors.get(each.name)
            if error is None and not self.is_done(each):
                error = _PENDING
            damage = self._rows.get(each.name, {}).get("damage", "")
            rows[each.name] = self._row(each, error or "", "" if error else damage)
        earlier = [row for name, row in self._rows.items() if name not in rows]
        self._journal.replace([*rows.values(), *earlier])
        self._rows = rows | {row["name"]: row for row in earlier}

    def _adopt(self, each):
        """Gives features of an earlier version a row, unless the video is newer."""
        row, place = self._rows.get(each.name), self._store.place(each.name)
        is_known = row is None or (not row["error"] and not row["fingerprint"])
        if self._is_older and is_known and self._store.has(each.name):
            if not fingerprint.is_newer(each.source.path, place):
                self.add(each)

    def _row(self, each, error, damage):
        source = each.source
        span = (getattr(source, key, None) for key in ("start", "end", "label"))
        start, end, label = ("" if value is None else str(value) for value in span)
        place = self._store.place(each.name)
        place = place.removeprefix(os.fspath(self._folder).rstrip("/") + "/")
        return {
            "name": each.name,
            "file": "" if error else place,
            "path": storage.redact(source.path),
            "start": start,
            "end": end,
            "label": label,
            "error": error,
            "damage": damage,
            "fingerprint": self._fingerprints[each.name],
        }

    def _inherited(self, each, found, used):
        """The name of the same file's earlier features, changed or moved since."""
        row = self._rows.get(each.name)
        if row is None or each.name in used:
            return None
        is_same = _place(row["path"]) == _place(each.source.path)
        is_moved = bool(found) and row["fingerprint"] == found
        base = os.path.basename(row["path"]) == os.path.basename(each.source.path)
        is_older = not row["fingerprint"] and base
        return each.name if is_same or is_moved or is_older else None


def _identity(each):
    return repr((_place(each.source.path), *each.source[1:]))


def _owner(each, found):
    """What a row and an input have in common: the file, and the part of it."""
    source = each.source
    if isinstance(source, Clip):
        return _place(source.path), _number(source.start), _number(source.end)
    return _place(source.path), found, ""


def _owner_of_row(row):
    if "@" in row["fingerprint"]:
        return _place(row["path"]), row["fingerprint"], ""
    return _place(row["path"]), _number(row["start"]), _number(row["end"])


def _number(value):
    return None if value in (None, "") else float(value)


def _place(path):
    return storage.absolute(storage.redact(path))
