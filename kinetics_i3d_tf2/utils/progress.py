"""Progress on standard error: a bar in a terminal, a line now and then in a file."""

import sys
import time

from tqdm import tqdm

INTERVAL = 30.0  # seconds between two lines in a file


class Bar(tqdm):
    """A bar of tqdm; where standard error is no terminal, at most a line every 30 s.

    There, the first line is written of work that goes on after an earlier run, and the
    last one when the bar is closed, unless `leave` is False.

    Args:
        *args: as of `tqdm`.
        **kwargs: as of `tqdm`.
    """

    def __init__(self, *args, **kwargs):
        self.is_sparse = not _is_terminal(kwargs.get("file") or sys.stderr)
        self._next_line = time.monotonic() + INTERVAL
        if self.is_sparse:
            kwargs["ncols"] = 0  # Numbers alone.
            if kwargs.get("initial"):
                self._next_line = 0.0
        super().__init__(*args, **kwargs)

    def display(self, msg=None, pos=None):
        """Shows the bar, or writes its line when one is due."""
        if not self.is_sparse:
            return super().display(msg, pos)
        if msg != "" and time.monotonic() >= self._next_line:  # "" clears a bar.
            self.fp.write(f"{msg or self}\n")
            self.fp.flush()
            self._next_line = time.monotonic() + INTERVAL
        return False

    def close(self):
        """Closes the bar."""
        if self.is_sparse and not self.disable:
            self._next_line = 0.0
            if self.leave:
                self.display()
            self.leave = False
        super().close()


def _is_terminal(file):
    # A notebook is no terminal, but draws bars.
    is_terminal = getattr(file, "isatty", bool)()
    return is_terminal or "ipykernel" in sys.modules
