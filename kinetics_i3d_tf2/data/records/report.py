"""report.json of a folder of records: how many clips were written, and why not."""

import json
import os
import re
from collections.abc import Sequence

from absl import logging

from ...utils import files, run_dir
from ...video import optical_flow
from ...video.reader import FRAME_RATE
from ..clips import Clip
from .outcomes import Outcome


class Report:
    """The file report.json of a folder of records.

    Args:
        folder: the folder; an earlier report is read and extended.

    Raises:
        OSError: the report cannot be read.
        ValueError: it is not a report.

    Attributes:
        path: the file.
        missing: files that do not exist, by the list that names them.
    """

    def __init__(self, folder: str | os.PathLike):
        self.path = files.join(folder, "report.json")
        self.missing: dict[str, list[str]] = {}
        self._records = {}
        if files.exists(self.path):
            with files.open_file(self.path) as file:
                try:
                    content = json.load(file)
                    self.missing = content["missing"]
                    self._records = content["records"]
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(
                        f"{self.path}: is not a report of this program"
                    ) from error

    def begin(self, name: str, plan: dict[str, list[Clip]], settings: dict) -> None:
        """Adds record files that are about to be written.

        Args:
            name: first part of their names.
            plan: the clips by path of the record file.
            settings: how clips are prepared, as JSON's types.

        Raises:
            ValueError: files of this name were begun with other settings or clips.
        """
        facts = {
            "settings": settings,
            "clips": sum(map(len, plan.values())),
            # Determines the content of the record files.
            "digest": run_dir.digest(plan.values()),
            "num_shards": len(plan),
        }
        before = self._records.setdefault(name, facts)
        _note_engine(self.path, before["settings"], settings)
        # Folders that were begun before this was a setting.
        before["settings"].setdefault("flow_epsilon", optical_flow.EPSILON)
        before["settings"].setdefault("image_fps", FRAME_RATE)
        changes = list(run_dir.differences(before, facts))
        for change in changes:
            if change[0] != "digest":
                raise run_dir.other_settings(
                    self.path, f"{name} in this folder", change
                )
        if changes:
            raise ValueError(
                f"{self.path}: {name} in this folder was begun with other clips. Use "
                "the same clips to resume, or another output folder (--out)"
            )

    def end(self, name: str, outcomes: Sequence[Outcome]) -> None:
        """Adds the outcomes of the clips.

        Args:
            name: as for `begin`.
            outcomes: one for each clip.

        Raises:
            ValueError: some are missing.
        """
        if len(outcomes) != self._records[name]["clips"]:
            raise ValueError(
                f"{self.path}: cannot be completed: lists of outcomes are missing from "
                "the folder work; the record files are whole"
            )
        failures = {}
        for outcome in outcomes:
            if outcome.reason:
                kind = re.sub(r"\d+(\.\d+)?", "N", outcome.reason)
                failures.setdefault(kind, {})[outcome.path] = outcome.reason
        failed = sum(map(len, failures.values()))
        self._records[name] |= {
            "written": len(outcomes) - failed,
            "failed": failed,
            "frames": sum(outcome.num_frames for outcome in outcomes),
            "seconds": round(sum(outcome.seconds for outcome in outcomes), 1),
            "failures": failures,
            "damaged": [
                {"path": o.path, "id": o.example_id, **o.damage}
                for o in outcomes
                if o.damage
            ],
        }

    def has(self, name: str) -> bool:
        """Whether record files of a name were begun."""
        return name in self._records

    def counts(self, name: str) -> tuple[int, int, int]:
        """Numbers of clips under a name: written, failed, written with damage."""
        facts = self._records[name]
        return facts["written"], facts["failed"], len(facts["damaged"])

    def write(self) -> None:
        """Writes the file, whole.

        Raises:
            OSError: it cannot be written.
        """
        content = {"missing": self.missing, "records": self._records}
        files.write_json(self.path, content)


def _note_engine(path, before, settings):
    """Allows another engine of flow than before, with a warning.

    Engines agree up to rounding, so one folder may have records of several.
    """
    now = settings["flow_engine"]
    if before is settings or now is None:
        settings["flow_engine"] = before.get("flow_engine")
        return
    used = before.setdefault("flow_engine", "opencv")
    if now not in used:
        logging.warning("%s: flow was by %s so far, now by %s", path, used, now)
        before["flow_engine"] = f"{used}, {now}"
    settings["flow_engine"] = before["flow_engine"]
