"""Lines of a list of clips, and the table that they make."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from absl import logging

from .. import labels
from ..clips import Clip, Table, unknown_class


class Listed(NamedTuple):
    """A line of a list."""

    place: str  # file and line, for errors
    name: str  # of the video file
    clip: Clip  # without its index; its path is "" if the file is missing


class Classes:
    """The classes that the labels of a list are looked up in.

    Args:
        names: names by index.
    """

    def __init__(self, names: Sequence[str]):
        self._names = names
        self._known = {name.casefold(): name for name in names}
        self._known |= {name: name for name in names}

    def find(self, label: str, place: str) -> str:
        """The name of a class, by itself or in another case.

        Args:
            label: as it is listed.
            place: file and line, for the error.

        Raises:
            ValueError: there is no such class.
        """
        found = self._known.get(label, self._known.get(label.casefold()))
        if found is None:
            raise ValueError(
                f"{place}: {unknown_class(label, self._names)} is not one of the "
                f"{len(self._names)} classes"
            )
        return found


def make_table(
    source: str | os.PathLike,
    listed: Sequence[Listed],
    class_names: Sequence[str] | None,
    require_all: bool,
) -> Table:
    """Makes the table of a list.

    Args:
        source: the list's name.
        listed: its lines.
        class_names: names by index; by default those of the list, sorted. A name that
            differs in case alone matches too.
        require_all: raise if a file is missing.

    Returns:
        The table.

    Raises:
        ValueError: the list is empty, a class is unknown, or files are missing: any of
            them with `require_all`, otherwise all of them.
    """
    if not listed:
        raise ValueError(f"{source}: lists no clips")
    for place, _, clip in listed:
        for label in clip.label_names:
            labels.check_label(label, place)
    if class_names is None:
        found = {label for line in listed for label in line.clip.label_names}
        class_names = sorted(found)
    classes = Classes(class_names)
    index = {name: number for number, name in enumerate(class_names)}
    clips, missing = [], []
    for place, name, clip in listed:
        names = {label: classes.find(label, place) for label in clip.label_names}
        if not clip.path:
            missing.append(name)
            continue
        clip = clip._replace(
            label=names.get(clip.label, ""),
            intervals=tuple(i._replace(label=names[i.label]) for i in clip.intervals),
        )
        clips.append(clip.with_indices(index))
    _report_missing(source, missing, len(listed), require_all)
    return Table(tuple(clips), tuple(class_names), tuple(missing), os.fspath(source))


def _report_missing(source, missing, total, require_all):
    if not missing:
        return
    shown = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
    message = f"{source}: {len(missing)} of {total} videos are missing: {shown}"
    if require_all or len(missing) == total:
        raise ValueError(message)
    logging.warning("%s", message)
