"""Folders of record files, as `write_records` leaves them, read as datasets."""

import os
import re

from ...utils import files
from .. import labels
from ..listings.splits import find_split
from . import tfrecord

# As `write_records` and MediaPipe's kinetics_dataset.py name record files.
_NAME = re.compile(r"_([^_/]+)_25fps_[^/]*-of-\d+$")


class RecordFolder:
    """A folder of record files and their label map.

    Args:
        folder: the folder, local or an address.

    Raises:
        OSError: the label map does not exist, or there are no record files.
        ValueError: the label map is malformed.

    Attributes:
        source: the folder.
        class_names: names by label index.

    Examples:
        >>> records = RecordFolder("records")
        >>> i3d.for_training(records.split("train"), recipe, batch_size=8, seed=0)
    """

    def __init__(self, folder: str | os.PathLike):
        self.source = os.fspath(folder)
        if not files.is_address(folder) and not os.path.isdir(folder):
            raise FileNotFoundError(f"{folder}: there is no such folder of records")
        label_map = files.join(folder, labels.LABEL_MAP)
        try:
            self.class_names = labels.read_label_map(label_map)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{files.redact(label_map)}: is missing; i3d prepare writes it, with "
                "the name of a class on each line"
            ) from error
        self._paths: dict[str, list[str]] = {}
        for path in files.matching(files.join(folder, "*")):
            if found := _NAME.search(path):
                self._paths.setdefault(found[1], []).append(path)
        if not self._paths:
            raise FileNotFoundError(
                f"{folder}: has no record files; expected names as i3d prepare writes, "
                "NAME_SPLIT_25fps_...-00000-of-00001"
            )

    def splits(self) -> tuple[str, ...]:
        """Names of its splits."""
        return tuple(self._paths)

    def split(self, name: str) -> tuple[tfrecord.Record, ...]:
        """The records of a split.

        Args:
            name: its name, or another of the same meaning (`splits.find_split`).

        Raises:
            OSError: a record file cannot be read.
            ValueError: there is no such split.
        """
        found = find_split(name, self._paths)
        if found is None:
            raise ValueError(
                f"There is no split '{name}' in {self.source}, only: "
                f"{', '.join(self._paths)}"
            )
        return tfrecord.find_records(self._paths[found])
