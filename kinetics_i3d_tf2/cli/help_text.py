"""What `i3d --help` and `i3d COMMAND --help` print."""

import os
import sys
import textwrap
from collections.abc import Mapping
from types import ModuleType

from absl import flags

_WIDTH = 88
# Modules whose flags several commands share, and the headings of those.
_SHARED = {
    "recipe_flags": "Recipe",
    "dataset_flags": "Dataset",
    "clip_flags": "Architecture and clips",
    "label_flags": "Many videos, and windows of long ones",
    "classify_clip": "One video, or samples",
    "classify_live": "Live videos",
    "evaluate_over_time": "Several labels and their times",
    "runner_flags": "Clusters",
    "model_flags": "Checkpoints",
    "flow_flags": "Optical flow",
    "reading_flags": "Reading videos",
}


def of_commands(commands: Mapping[str, str]) -> str:
    """The list of commands.

    Args:
        commands: what each does, by name.
    """
    rows = [f"  {name:<14}{summary}" for name, summary in commands.items()]
    return "\n".join(
        [
            "usage: i3d COMMAND [--flag=value ...]",
            "",
            "I3D, the two-stream inflated 3D network for action recognition.",
            "",
            "commands:",
            *rows,
            "",
            "i3d COMMAND --help shows a command's flags. i3d classify --video=FILE "
            "labels a video.",
        ]
    )


def of_program(module: ModuleType, description: str) -> str:
    """What a program does, with examples, and its flags by group.

    Args:
        module: that defines the flags, imported.
        description: what the program does.
    """
    name = os.path.basename(sys.argv[0])
    lines = [f"usage: {name} [--flag=value ...]", "", description.strip()]
    for heading, group in _groups(module, flags.FLAGS).items():
        lines += ["", f"{heading}:"]
        for flag in sorted(group, key=lambda flag: flag.name):
            lines += _describe(flag)
    return "\n".join(lines)


def _groups(module, values):
    """Flags by heading: the command's own, then those that it shares."""
    by_module = values.flags_by_module_dict()
    # absl knows the main module by the program's path.
    own = sys.argv[0] if module.__name__ == "__main__" else module.__name__
    homes = {
        flag.name: home.rpartition(".")[2]
        for home, found in by_module.items()
        for flag in found
    }
    groups = {"Flags": by_module.get(own, [])}
    for flag in values.get_key_flags_for_module(own):
        if flag not in groups["Flags"]:
            groups.setdefault(_SHARED[homes[flag.name]], []).append(flag)
    return {heading: group for heading, group in groups.items() if group}


def _describe(flag):
    prefix = "--[no]" if flag.boolean else "--"
    default = f" (default: {flag.default_as_str})" if flag.default is not None else ""
    choices = getattr(flag.parser, "enum_values", None)
    description, values = flag.help.strip(), ""
    if choices:  # absl puts them first, as <a|b>: in front of the description.
        description = description.removeprefix(f"<{'|'.join(choices)}>: ")
        values = f" {' | '.join(choices)}."
    text = textwrap.fill(
        f"{description}{values}{default}",
        _WIDTH,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
    )
    return [f"  {prefix}{flag.name}:", text]
