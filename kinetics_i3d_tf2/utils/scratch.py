"""Temporary folders, which killed processes leave until the next one is made."""

import os
import re
import shutil
import socket
import tempfile

# Other machines may share the folder.
_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:32]
_NAME = re.compile(rf"\.?i3d-{_HOST}-(\d+)-\w+")


def temporary_folder(
    above: str | os.PathLike | None = None,
) -> tempfile.TemporaryDirectory:
    """Makes a temporary folder, and deletes those left behind in the same place.

    What is deleted was made by this function in a process that has ended since.

    Args:
        above: where it is made, hidden; by default the system's temporary folder.

    Returns:
        The folder, as of `tempfile.TemporaryDirectory`: a context manager that gives
        its path.
    """
    dot, above = ("", tempfile.gettempdir()) if above is None else (".", above)
    for name in os.listdir(above):
        found = _NAME.fullmatch(name)
        if found and not _is_alive(int(found[1])):
            shutil.rmtree(os.path.join(above, name), ignore_errors=True)
    prefix = f"{dot}i3d-{_HOST}-{os.getpid()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, dir=above)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # It is another user's.
    return True
