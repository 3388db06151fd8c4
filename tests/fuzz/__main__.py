"""Fuzzes the readers: `python -m tests.fuzz --kind=video --count=5000`.

Prints a table: how many of the damaged files were read right, read with a warning that
counts the damage, refused with an error that names the file; and the three outcomes
that must not happen: crashed, hung, silently wrong against the undamaged twin. The
exit status is 1 if one of these did. Files that did are kept in `--keep`, each with
what happened.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

from . import kinds, runner  # noqa: E402


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--kind", choices=kinds.KINDS, action="append", help="by default all of them"
    )
    parser.add_argument("--count", type=int, default=300, help="damaged files per kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    options = parser.parse_args()
    rows = []
    for name in options.kind or kinds.KINDS:
        rows += runner.fuzz(
            name, options.count, seed=options.seed, keep=options.keep, show=True
        )
    print(runner.table(rows))
    sys.exit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()
