"""Flags that name what a program writes, checked before the work."""

import os

from absl import flags

from ..utils import files


def check(flag: flags.FlagHolder, *, stdout: bool = False) -> None:
    """Finds out that the file which a flag names cannot be written, before the work.

    Args:
        flag: of a path or an address; None is no file.
        stdout: whether "-" is standard output.

    Raises:
        OSError: nothing can be written there, or the bucket of an address does not
            exist or may not be accessed.
        ValueError: it is empty, a folder, a file in a missing folder, an address that
            can only be read, or "-" of something else than text.
    """
    if flag.value is None or (stdout and is_stdout(flag)):
        return
    if files.is_address(flag.value) or is_stdout(flag):
        files.check_writable(flag.value)
        return
    if not flag.value or os.path.isdir(flag.value):
        raise ValueError(f"--{flag.name}={flag.value}: name a file to write")
    folder = os.path.dirname(os.path.abspath(flag.value))
    if not os.path.isdir(folder):
        raise ValueError(f"--{flag.name}={flag.value}: there is no such folder")
    if os.path.exists(flag.value) and not os.path.isfile(flag.value):
        return  # A device or a pipe, which is written to.
    files.check_writable(flag.value)


def is_stdout(flag: flags.FlagHolder) -> bool:
    """Whether a flag names standard output, for which nothing else is printed then."""
    return flag.value == files.STDOUT
