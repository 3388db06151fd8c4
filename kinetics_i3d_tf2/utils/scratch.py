"""Temporary folders outside of output folders, which killed processes do not leave."""

import os
import re
import shutil
import socket
import tempfile

# Other machines may share the folder.
_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:32]
_NAME = re.compile(rf"i3d-{_HOST}-(\d+)-\w+")


def temporary_folder() -> tempfile.TemporaryDirectory:
    """Makes a folder in the system's temporary folder, and deletes those left behind.

    What is deleted was made by this function in a process that has ended since.

    Returns:
        The folder, as of `tempfile.TemporaryDirectory`: a context manager that gives
        its path.
    """
    above = tempfile.gettempdir()
    for name in os.listdir(above):
        found = _NAME.fullmatch(name)
        if found and not _is_alive(int(found[1])):
            shutil.rmtree(os.path.join(above, name), ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=f"i3d-{_HOST}-{os.getpid()}-")


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # It is another user's.
    return True
