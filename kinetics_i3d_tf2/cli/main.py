"""The command `i3d`: finds the command's module, shows its help or runs it."""

import difflib
import importlib
import sys

from .. import __version__
from . import help_text, program

# A module of this folder each, which is imported only when its command is typed.
COMMANDS = {
    "classify": "Classify a clip with the two-stream I3D.",
    "train": "Train or fine-tune a model on a dataset.",
    "evaluate": "Measure the accuracy of checkpoints on a dataset.",
    "features": "Extract features of videos.",
    "fvd": "Compute the Frechet Video Distance between two sets of videos.",
    "export": "Export a SavedModel for serving, or ONNX, OpenVINO and LiteRT files.",
    "prepare": "Convert a dataset to record files, optical flow included.",
    "inflate": "Inflate ImageNet weights of Inception-V1 to I3D.",
    "checkpoint": "List, import, verify or export a checkpoint.",
    "visualize": "Draw what a network has learned.",
    "demo": "Make the demonstration's dataset of drawn actions.",
    "data-service": "Read training data on other machines (tf.data service).",
}


def main(arguments: list[str] | None = None) -> None:
    """Runs `i3d`, and exits with its status.

    Args:
        arguments: what follows `i3d` on the command line; by default `sys.argv`'s.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    sys.argv = ["i3d", name, *rest]
    if name in (*program.HELP, "help"):
        program.print_and_exit(help_text.of_commands(COMMANDS))
    if name in ("--version", "version"):
        program.print_and_exit(f"kinetics-i3d-tf2 {__version__}")
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, 1)
        meant = f"Did you mean {close[0]}? " if close else ""
        program.print_error(
            ValueError(f"Unknown command '{name}'. {meant}See i3d --help")
        )
        sys.exit(2)
    sys.argv = [f"i3d {name}", *rest]
    module = importlib.import_module(f".{name.replace('-', '_')}", __package__)
    program.run(module.main, module=module)
