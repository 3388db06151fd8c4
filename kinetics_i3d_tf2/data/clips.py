"""The table of labelled clips that every dataset is read into."""

import collections
import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..utils import files
from ..utils.text import near_match, printable
from .intervals import NO_LABEL, Interval
from .listings.splits import find_split
from .listings.video_folder import VIDEO_SUFFIXES

_KINETICS_STEM = re.compile(r"(.{11})_(\d{6})_(\d{6})")


class Clip(NamedTuple):
    """A video file, or a span of one, and its class, or its labels with their times.

    Attributes:
        path: the file.
        label: its one class; "" if it has none, or `intervals`.
        index: index of the class; `NO_LABEL` if there is none.
        start: first second of the file; None is its beginning.
        end: last second; None is its end.
        split: name of the split.
        intervals: several labels with their times, in seconds of the file.
    """

    path: str
    label: str = ""
    index: int = NO_LABEL
    start: float | None = None
    end: float | None = None
    split: str = "train"
    intervals: tuple[Interval, ...] = ()

    @classmethod
    def from_json(cls, values: Sequence) -> "Clip":
        """The clip whose fields, in order, went through JSON."""
        clip = cls(*values)
        return clip._replace(intervals=tuple(Interval(*i) for i in clip.intervals))

    @property
    def all_labels(self) -> tuple[Interval, ...]:
        """Its labels, whether it has one or several; one has no times."""
        if self.index == NO_LABEL:
            return self.intervals
        return (Interval(self.label, index=self.index), *self.intervals)

    @property
    def label_names(self) -> set[str]:
        """Names of its classes."""
        return {interval.label for interval in (self, *self.intervals)} - {""}

    def with_indices(self, index: Mapping[str, int]) -> "Clip":
        """The clip with the indices of its classes, by their names."""
        intervals = tuple(i._replace(index=index[i.label]) for i in self.intervals)
        return self._replace(
            index=index[self.label] if self.label else NO_LABEL, intervals=intervals
        )

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

    def __repr__(self) -> str:
        """Shows numbers, such as "Table(8 classes; clips: train 40, val 10)"."""
        counts = collections.Counter(clip.split for clip in self.clips)
        clips = ", ".join(f"{name} {count}" for name, count in counts.items())
        missing = f"; {len(self.missing)} missing" if self.missing else ""
        return f"Table({len(self.class_names)} classes; clips: {clips}{missing})"

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
        unknown = {name for clip in self.clips for name in clip.label_names} - {*index}
        if unknown:
            raise ValueError(
                f"{len(unknown)} classes are not among the {len(index)} that there "
                f"are, for example {unknown_class(min(unknown), index)}"
            )
        clips = (clip.with_indices(index) for clip in self.clips)
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


def from_folder(source, folder: str):
    """A clip or record with a path that holds in processes in other folders.

    Args:
        source: its relative path is relative to `folder`.
        folder: absolute, or "" to leave the path as it is.
    """
    return source._replace(path=files.from_folder(source.path, folder))


def unknown_class(name: str, known: Collection[str]) -> str:
    """An unknown class for an error: "'flyng' (is 'flying' meant?)".

    Args:
        name: the class.
        known: names of the known classes.
    """
    near = near_match(name, known)
    hint = f" (is '{printable(near)}' meant?)" if near else ""
    return f"'{printable(name)}'{hint}"
