"""More steps for a run that began with fewer."""

import json
import os

from absl import logging

from ..utils import files, run_dir
from .options import upgrade

# What more steps change: the schedule, and the default interval of checkpoints.
_MAY_CHANGE = {"steps", "rates", "checkpoint_every"}


def extend_settings(path: str | os.PathLike, today: dict) -> None:
    """Rewrites the settings of a run whose number of steps was raised.

    Its learning rate follows the new schedule from its newest checkpoint on; notes in
    the file keep the former one. Nothing happens if there is no file, or if the number
    of steps is not larger.

    Args:
        path: `settings.json` of the run.
        today: the settings, as of `options.settings`.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: there are more steps, and another setting differs too.
    """
    if not os.path.exists(path):
        return
    with files.open_file(path) as file:
        try:
            content = json.load(file)
            before, notes = upgrade(content["settings"]), content.get("notes", {})
            changes = list(run_dir.differences(before, today))
            is_longer = before["steps"] < today["steps"]
            former = {key: before[key] for key in ("steps", "rates")}
            extended = [*notes.get("extended", []), former]
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # What it is instead is reported later.
    if not is_longer:
        return
    for change in changes:
        if change[0] not in _MAY_CHANGE:
            raise run_dir.other_settings(path, "the run in this folder", change)
    logging.info(
        "Extending the run from %d to %d steps; the learning rate follows the schedule "
        "of %d steps: %s",
        before["steps"],
        today["steps"],
        today["steps"],
        ", ".join(f"{rate:g} from step {start}" for start, rate in today["rates"]),
    )
    notes = notes | {"extended": extended}
    files.write_json(path, {"settings": today, "notes": notes})
