"""What is done of a table of labels: videos, and windows of an unfinished one."""

import base64
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from absl import logging

from ...data.sources import Input
from ...utils import files, fingerprint, run_dir
from ...utils.journal import Journal, JsonRows
from ..labelling import scores_at
from ..scores import Scores
from .steps import Labelled

if TYPE_CHECKING:
    from ..classifier import Classifier


@dataclasses.dataclass
class _Video:
    """Entries of a video: its windows, each with a row, and its end."""

    fingerprint: str
    windows: list[dict] = dataclasses.field(default_factory=list)
    end: dict | None = None

    def rows(self):
        rows = [window["row"] for window in self.windows]
        return rows + (self.end["rows"] if self.end else [])

    def has_scores(self):
        others = self.end["rows"] if self.end else []
        has_labels = any(row["labels"] for row in others)
        return not has_labels and all("scores" in window for window in self.windows)


class LabelProgress:
    """The journal OUT.progress of a table; a context manager.

    Its lines are the settings; `name`, `fingerprint`, `window` (its number), `row` and
    perhaps `scores` of each window; `name`, `fingerprint`, `rows` (those of no window),
    `error`, `cut` and `damage` at the end of each video.

    Args:
        out: the table.
        settings: what rows depend on, of JSON's types.
        inputs: the videos of the table.
        resume: keep what an earlier run has done.
        keep_scores: keep the scores of windows too; what an earlier run did without
            them is done again.

    Attributes:
        done: names of the inputs that are done and have not changed since.

    Raises:
        OSError: the journal cannot be read or written.
        ValueError: it was begun with other settings, or the table is of another
            program.
    """

    def __init__(
        self,
        out: str | os.PathLike,
        settings: Mapping,
        inputs: Sequence[Input],
        *,
        resume: bool = True,
        keep_scores: bool = False,
    ):
        self._inputs, self._keep_scores, self._rows = inputs, keep_scores, []
        self._journal = Journal(f"{os.fspath(out)}.progress", JsonRows())
        try:
            if not resume:
                self._journal.replace(self._journal.rows[:1])
            self._begin(out, settings)
            # Before videos are read: a file may change at any time.
            self._now = fingerprint.of_files(each.source.path for each in inputs)
            self._videos = self._usable(_parse(self._journal.rows[1:]))
        except BaseException:
            self._journal.close()
            raise
        self.done = {name for name, video in self._videos.items() if video.end}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._journal.close()

    def add(self, step: Labelled) -> None:
        """Adds a row that is of no window, or the end of a video."""
        if step.row is not None:
            self._rows.append(step.row)
            return
        video, entry = self._entry(step)
        end = {"error": step.error, "cut": step.is_cut, "damage": step.damage}
        video.end = self._journal.append(entry | {"rows": self._rows} | end)
        self._rows = []
        self.done.add(step.input.name)

    def add_window(self, step: Labelled) -> None:
        """Adds the next window of a video."""
        video, entry = self._entry(step)
        entry |= {"window": len(video.windows), "row": step.row}
        if self._keep_scores:
            entry["scores"] = _encode(step.scores)
        video.windows.append(self._journal.append(entry))

    def rows(self) -> Iterator[dict]:
        """The rows of all videos that are done, in order of the inputs."""
        for each in self._inputs:
            if each.name in self.done:
                yield from self._videos[each.name].rows()

    def ends(self) -> Iterator[tuple[str, str, bool, str]]:
        """Name, error, whether it is cut, and damage of the videos that are done."""
        for each in self._inputs:
            if each.name in self.done:
                end = self._videos[each.name].end
                yield each.name, end["error"], end["cut"], end.get("damage", "")

    def windows(self, each: Input, classifier: "Classifier") -> list[Labelled]:
        """The windows that are done of a video, with scores if they were kept."""
        video = self._videos.get(each.name, _Video(""))
        return [
            Labelled(
                each,
                _decode(window["scores"], classifier) if self._keep_scores else None,
                window["row"],
                is_new=False,
            )
            for window in video.windows
        ]

    def _entry(self, step):
        """The video of a step, and what begins each of its entries."""
        name, version = step.input.name, self._now[step.input.source.path]
        video = self._videos.setdefault(name, _Video(version))
        return video, {"name": name, "fingerprint": version}

    def _begin(self, out, settings):
        """Checks the settings of an earlier run, or writes those of this one."""
        journal = self._journal
        if journal.rows:
            before = journal.rows[0].get("settings", {})
            # As JSON has them: lists instead of tuples.
            settings = json.loads(json.dumps(settings))
            for change in run_dir.differences(before, settings):
                raise run_dir.other_settings(out, "the table", change)
            return
        if files.exists(out) and files.size(out):
            raise ValueError(
                f"{out}: is there already, and was not written by this program, or its "
                f"{os.path.basename(out)}.progress is gone; delete it, or name another"
            )
        journal.append({"settings": settings})

    def _usable(self, videos):
        """Those of the inputs that have not changed since."""
        known = [each for each in self._inputs if each.name in videos]
        usable = {}
        for each in known:
            video, now = videos[each.name], self._now[each.source.path]
            lacks_scores = self._keep_scores and not video.has_scores()
            if video.fingerprint == now != "" and not lacks_scores:
                usable[each.name] = video
        count = sum(video.end is not None for video in usable.values())
        if count:
            logging.info("%d of %d videos were done before", count, len(self._inputs))
        if len(usable) < len(known):
            logging.info(
                "%d videos have changed since, or lack what this run needs, and are "
                "labelled again",
                len(known) - len(usable),
            )
        return usable


def _parse(entries):
    """Videos by name; later entries replace those of a video that was done again."""
    videos = {}
    for entry in entries:
        name, version = entry["name"], entry["fingerprint"]
        video = videos.get(name)
        begins = entry.get("window") == 0 or video is None or video.end is not None
        if begins or video.fingerprint != version:
            video = videos[name] = _Video(version)
        if "window" in entry:
            video.windows.append(entry)
        else:
            video.end = entry
    return videos


def _encode(scores):
    logits = np.stack(list(scores.streams.values())).astype("<f4")
    return {
        "logits": base64.b64encode(logits.tobytes()).decode(),
        "seconds": scores.seconds,
        "frames": scores.frames,
    }


def _decode(entry, classifier):
    logits = np.frombuffer(base64.b64decode(entry["logits"]), "<f4")
    place = Scores(np.empty(0), (), {}, tuple(entry["seconds"]), entry["frames"])
    shape = len(classifier.models), -1
    return scores_at(classifier, logits.reshape(shape), place)
