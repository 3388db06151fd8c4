"""Kills the programs that write: `python -m tests.kills --count=10`.

Each program is run once to its end, then killed (`kill -9`) at random moments and
started again, `--count` times. What the last start leaves is compared with the first
run's. Then it runs twice at once, on a disk that is full, and in a folder that is
read-only. Prints a table; the exit status is 1 if anything differed.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

from . import programs, trials  # noqa: E402


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.kills",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--program", choices=programs.PROGRAMS, action="append", help="by default all"
    )
    parser.add_argument("--count", type=int, default=10, help="kills per program")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = trials.run(
        options.program or list(programs.PROGRAMS), options.count, options.seed
    )
    print(trials.table(rows))
    sys.exit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()
