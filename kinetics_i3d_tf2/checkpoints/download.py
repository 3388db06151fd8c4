"""Downloads that are verified by git blob ids, and resumed."""

import hashlib
import os
import time
from pathlib import Path

import requests
from absl import logging

from ..utils.file_system import exclusive
from ..utils.progress import Bar

_CHUNK = 1 << 16


class DownloadError(OSError):
    """A download failed. The message tells how to get the file by hand."""


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


def download(
    url: str,
    path: Path,
    expected: str,
    *,
    timeout: tuple[float, float],
    tries: int,
    backoff: float,
) -> None:
    """Downloads a file unless it exists, resuming what an earlier call left.

    The file is moved into place once it is complete and verified. Processes that
    download the same file wait for each other.

    Args:
        url: its address.
        path: local path; missing folders are created.
        expected: git blob id of the content.
        timeout: seconds to wait for a connection, and for the next bytes.
        tries: number of attempts.
        backoff: seconds before the second attempt, doubled before each further one.

    Raises:
        DownloadError: the download failed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(path.parent / ".download.lock", wait=True):
            if not path.exists():  # Another process may have brought it meanwhile.
                partial = path.with_name(path.name + ".part")
                _try_download(url, partial, expected, timeout, tries, backoff)
                os.replace(partial, path)
    except (OSError, NotImplementedError) as error:  # requests' errors are OSErrors
        raise DownloadError(
            f"{path.name}: cannot be downloaded from {url} ({network_reason(error)}). "
            f"Get it by hand and put it in {path.parent.resolve()}"
        ) from error


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
                url, network_reason(error), attempt + 1, tries,
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
            Bar(
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


def network_reason(error: BaseException) -> str:
    """Describes an error of requests or the system in one line.

    Args:
        error: the exception.
    """
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
