"""What `i3d evaluate` prints of its results, and writes as JSON."""

import json
from types import ModuleType

from absl import flags, logging

from ..utils import files
from . import output_flags


def report(
    found,
    results: ModuleType,
    counted: str,
    out: str,
    json_flag: flags.FlagHolder,
    *,
    has_figures: bool = True,
) -> None:
    """Prints the figures and a summary; with --json=-, the JSON alone.

    Args:
        found: results of an evaluation, with the counts `unread` and `damaged`.
        results: the module with `table` and `write_json` for them.
        counted: what was scored, such as "16 clips".
        out: folder of the results.
        json_flag: the flag `--json`.
        has_figures: whether there is a table to print.
    """
    is_json = output_flags.is_stdout(json_flag)
    if has_figures and not is_json:
        print(results.table(found))
    if json_flag.value is not None:
        with files.open_file(files.join(out, "settings.json")) as file:
            settings = json.load(file)["settings"]
        results.write_json(found, json_flag.value, settings)
    retry = " (--retry_failed tries them again)" if found.unread else ""
    damaged = f"; {found.damaged} have damaged frames" if found.damaged else ""
    summary = f"{counted}; {found.unread} could not be read{retry}{damaged}; see {out}"
    if is_json:
        logging.info("%s", summary)
    else:
        print(summary)
