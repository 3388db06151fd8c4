"""What `i3d classify` does with cameras, streams and pipes."""

import json
import sys

from absl import flags, logging

from ..inference.label_tables.rows import LabelCsv, make_row
from ..video.live import is_live
from . import program
from .flags import chosen_checkpoints, flow_flags, label_flags, model_flags

EVERY = flags.DEFINE_float(
    "every",
    None,
    "Seconds from one answer about a live video to the next: a camera (/dev/video0, "
    "avfoundation:0), a stream (rtsp://, http://, ...) or a pipe (-). Prints a line "
    "for the newest --window each time; windows that there is no time for are skipped "
    "and counted. With --dense, a line for each 8 frames, or for some of them.",
    0.04,
)
LIVE_FORMAT = flags.DEFINE_enum(
    "live_format", "csv", ["csv", "json"], "What lines about a live video are."
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

_WINDOW, _EVERY, _PLACE, _TOP = 2.56, 1.0, 0.32, 5


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (EVERY, LIVE_FORMAT):
        flags.declare_key_flag(flag.name)


def is_wanted(names: list[str]) -> bool:
    """Whether the arguments ask for a live video.

    Args:
        names: positional arguments, the inputs.
    """
    return EVERY.value is not None or any(map(is_live, names))


def main(names: list[str], *, root: str) -> None:
    """Labels a live video until it ends or is interrupted.

    Args:
        names: the camera, stream or pipe.
        root: folder that holds checkpoints/.

    Raises:
        OSError: there is no such source.
        ValueError: flags do not go together, or it is not a video.
    """
    if len(names) != 1:
        raise ValueError(f"--every is for one live video. Received: {len(names)}")
    model_flags.check()
    label_flags.check_dense()
    for flag in (*label_flags.OF_FILES, label_flags.OUT, label_flags.STRIDE):
        if flag.present:
            raise ValueError(f"--{flag.name} is not for live videos")
    checkpoints = chosen_checkpoints.find_checkpoints(root, may_substitute=True)
    models, class_names = chosen_checkpoints.load_models(checkpoints)
    from ..inference.classifier import Classifier
    from ..inference.live import LiveOptions, classify_live

    classifier = Classifier.of_models(models, class_names, dtype=model_flags.dtype())
    dense = label_flags.DENSE.value
    options = LiveOptions(
        window=label_flags.WINDOW.value or _WINDOW,
        every=EVERY.value or (_PLACE if dense else _EVERY),
        dense=dense,
        recipe=flow_flags.apply(classifier.recipe),
    )
    top = model_flags.TOP.value if model_flags.TOP.present else _TOP
    write = _Lines(names[0], top, as_json=LIVE_FORMAT.value == "json")
    seen = "each 8 frames" if dense else f"the newest {options.window:g} s"
    logging.info(
        "Answers come every %g s about %s, after their work; Ctrl-C ends",
        options.every, seen,
    )  # fmt: skip
    try:
        for found in classify_live(classifier, names[0], options):
            write(found)
    except KeyboardInterrupt:
        pass  # The way to end it.
    logging.info(
        "%d windows were answered and %d skipped; the delay was at most %.2f s",
        write.count, write.skipped, write.longest,
    )  # fmt: skip
    # The reading thread may wait for data.
    program.exit_at_once(0)


class _Lines:
    """Prints what a live video shows."""

    def __init__(self, source, top, *, as_json):
        self._source, self._top, self._as_json = source, top, as_json
        self.count = self.skipped = 0
        self.longest = 0.0
        self._codec = _LiveCsv(top)
        if not as_json:
            self._print(self._codec.header)

    def __call__(self, found):
        self.count += 1
        self.skipped += found.skipped
        self.longest = max(self.longest, found.delay)
        row = make_row(self._source, self._top, found.scores)
        row |= {"delay": round(found.delay, 3), "skipped": found.skipped}
        if self._as_json:
            self._print(json.dumps(row) + "\n")
        else:
            self._print(self._codec.encode(self._codec.convert(row)))

    def _print(self, text):
        sys.stdout.write(text)
        sys.stdout.flush()


class _LiveCsv(LabelCsv):
    """With the delay, and the windows that were skipped."""

    last = ("delay", "skipped")
