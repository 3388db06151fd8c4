"""The table of labelled clips that every dataset is read into."""

import dataclasses
import os
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from absl import logging

from ..utils import files
from ..utils.text import near_match, printable
from . import labels
from .listings.splits import find_split
from .listings.video_folder import VIDEO_SUFFIXES

NO_LABEL = -1
_KINETICS_STEM = re.compile(r"(.{11})_(\d{6})_(\d{6})")


class Clip(NamedTuple):
    """A video file, or a span of one, and its class."""

    path: str
    label: str = ""
    index: int = NO_LABEL
    start: float | None = None  # seconds of the file; None is its beginning
    end: float | None = None  # None is its end
    split: str = "train"

    @property
    def media_id(self) -> str:
        """Name of the video: YouTube's in Kinetics, else the file's without suffix."""
        name = self._stem
        match = _KINETICS_STEM.fullmatch(name)
        return match[1] if match else name

    @property
    def example_id(self) -> str:
        """Name of the clip: its video's and its first second there."""
        match = _KINETICS_STEM.fullmatch(self._stem)
        start = int(match[2]) if match else self.start or 0
        return f"{self.media_id}_{start:g}"

    @property
    def _stem(self):
        """The file's name without suffix; of a folder of images all of its name."""
        name = files.without_query(self.path).rpartition("/")[2]
        return files.stem(name) if name.lower().endswith(VIDEO_SUFFIXES) else name


@dataclasses.dataclass(frozen=True)
class Table:
    """A dataset: its clips, its classes, and the files missing from its lists.

    Attributes:
        clips: the clips whose files exist.
        class_names: names in the order of the label indices.
        missing: files that the lists name and that do not exist.
        source: the lists or the folder that it was read from.
    """

    clips: tuple[Clip, ...]
    class_names: tuple[str, ...]
    missing: tuple[str, ...] = ()
    source: str = ""

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.clips)

    def splits(self) -> tuple[str, ...]:
        """Names of its splits, in order of appearance."""
        return tuple(dict.fromkeys(clip.split for clip in self.clips))

    def split(self, name: str) -> "Table":
        """The clips of one split, with the classes of the whole dataset.

        Args:
            name: its name, or another of the same meaning (`find_split`).

        Raises:
            ValueError: there are no clips of that split.
        """
        found = find_split(name, self.splits())
        clips = tuple(clip for clip in self.clips if clip.split == found)
        if not clips:
            known = ", ".join(self.splits())
            raise ValueError(
                f"There is no split '{name}' in the dataset, only: {known}"
            )
        return dataclasses.replace(self, clips=clips)

    def with_splits(self, names: Sequence[str]) -> "Table":
        """The clips of some splits, with the classes of the whole dataset.

        Raises:
            ValueError: there are no clips of one of them.
        """
        clips = (clip for name in names for clip in self.split(name).clips)
        return dataclasses.replace(self, clips=tuple(clips))

    def with_classes(self, class_names: Sequence[str]) -> "Table":
        """The same clips with label indices of another list of classes.

        Args:
            class_names: names by index.

        Returns:
            The table.

        Raises:
            ValueError: the class of a clip is not in the list.
        """
        index = {name: number for number, name in enumerate(class_names)}
        unknown = {clip.label for clip in self.clips} - {"", *index}
        if unknown:
            raise ValueError(
                f"{len(unknown)} classes are not among the {len(index)} that there "
                f"are, for example {unknown_class(min(unknown), index)}"
            )
        clips = (c._replace(index=index.get(c.label, NO_LABEL)) for c in self.clips)
        return dataclasses.replace(
            self, clips=tuple(clips), class_names=tuple(class_names)
        )


def join(tables: Sequence[Table]) -> Table:
    """Joins several tables, such as those of train.csv and val.csv.

    Args:
        tables: at least one.

    Returns:
        One table. If their classes differ, it has the classes of all, sorted by name.
    """
    first, *others = tables
    names = first.class_names
    if any(table.class_names != names for table in others):
        names = sorted({name for table in tables for name in table.class_names})
    tables = [table.with_classes(names) for table in tables]
    return Table(
        tuple(clip for table in tables for clip in table.clips),
        tuple(names),
        tuple(name for table in tables for name in table.missing),
        ",".join(table.source for table in tables),
    )


class Listed(NamedTuple):
    """A line of a list."""

    place: str  # file and line, for errors
    name: str  # of the video file
    clip: Clip  # without its index; its path is "" if the file is missing


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
        if clip.label:
            labels.check_label(clip.label, place)
    if class_names is None:
        class_names = sorted({line.clip.label for line in listed} - {""})
    indices = {name.casefold(): index for index, name in enumerate(class_names)}
    indices |= {name: index for index, name in enumerate(class_names)}
    clips, missing = [], []
    for place, name, clip in listed:
        index = indices.get(clip.label, indices.get(clip.label.casefold()))
        if not clip.label:
            index = NO_LABEL
        if index is None:
            raise ValueError(
                f"{place}: {unknown_class(clip.label, class_names)} is not one of the "
                f"{len(class_names)} classes"
            )
        label = class_names[index] if clip.label else ""
        if clip.path:
            clips.append(clip._replace(index=index, label=label))
        else:
            missing.append(name)
    _report_missing(source, missing, len(listed), require_all)
    return Table(tuple(clips), tuple(class_names), tuple(missing), os.fspath(source))


def unknown_class(name: str, known: Collection[str]) -> str:
    """An unknown class for an error: "'flyng' (is 'flying' meant?)".

    Args:
        name: the class.
        known: names of the known classes.
    """
    near = near_match(name, known)
    hint = f" (is '{printable(near)}' meant?)" if near else ""
    return f"'{printable(name)}'{hint}"


def _report_missing(source, missing, total, require_all):
    if not missing:
        return
    shown = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
    message = f"{source}: {len(missing)} of {total} videos are missing: {shown}"
    if require_all or len(missing) == total:
        raise ValueError(message)
    logging.warning("%s", message)
