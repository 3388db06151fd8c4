"""Requests that are tried again, and their errors as OSErrors with the address."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import TypeVar

from absl import logging

from .addresses import redact, scheme

Result = TypeVar("Result")

TRIES = 4
BACKOFF = 0.5  # seconds before the second try, doubled before each further one

# What is final is not tried again. Of the 4xx, the server asks for it with these.
_TRANSIENT_STATUS = (408, 425, 429)
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for public "
    "buckets, FSSPEC_S3_ANON=true",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS; for public buckets, "
    "FSSPEC_GS_TOKEN=anon",
}
_CREDENTIALS |= {"s3a": _CREDENTIALS["s3"], "gcs": _CREDENTIALS["gs"]}
# Classes of botocore and google.auth, which are imported with s3fs and gcsfs only.
_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "DefaultCredentialsError",
    "RefreshError",
}
# Classes of aiohttp, botocore and urllib3.
_CUT = {"ClientPayloadError", "IncompleteReadError", "ServerDisconnectedError"}
_NETWORK = _CUT | {
    "ClientConnectionError",
    "ConnectionError",
    "HTTPClientError",
    "ResponseParserError",
}
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def call(address: str | os.PathLike, request: Callable[..., Result], *args) -> Result:
    """Calls a function of a remote file system, again when the network fails.

    Args:
        address: the file, for messages.
        request: the function.
        *args: its arguments.

    Returns:
        What it returns.

    Raises:
        FileNotFoundError: there is no such file.
        PermissionError: the server denies access.
        OSError: the server still fails after `TRIES` attempts, or the request cannot
            succeed.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return request(*args)
        except (TypeError, AttributeError, ImportError):
            raise
        except Exception as error:
            problem = _os_error(address, error, attempt)
            if not _is_transient(error) or attempt == TRIES:
                # The original's text may contain credentials.
                raise problem from None
            logging.info("%s; try %d of %d", problem, attempt + 1, TRIES)
            time.sleep(BACKOFF * 2 ** (attempt - 1))
    raise RuntimeError("unreachable")


def first_line(error: BaseException) -> str:
    """The reason of an error in one line, without credentials."""
    status = getattr(error, "status", None)
    if isinstance(status, int):  # The text of these errors has the whole address.
        name = type(error).__name__
        return f"{status} {error.message}" if status else name
    if _classes(error) & _CUT:
        return "the connection broke off"
    lines = redact(str(error)).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _is_transient(error):
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status >= 500 or status in _TRANSIENT_STATUS
    if isinstance(error, _FINAL) or _classes(error) & _NO_CREDENTIALS:
        return False
    return isinstance(error, OSError | asyncio.TimeoutError) or bool(
        _classes(error) & _NETWORK
    )


def _os_error(address, error, tries):
    """The error as an OSError in one line, without credentials."""
    name = redact(address)
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return FileNotFoundError(f"{name}: there is no such file")
    denied = status in (401, 403) or isinstance(error, PermissionError)
    if denied or _classes(error) & _NO_CREDENTIALS:
        advice = _CREDENTIALS.get(scheme(address))
        return PermissionError(
            f"{name}: {'access denied' if denied else 'no credentials'} "
            f"({first_line(error)}){f'; {advice}' if advice else ''}"
        )
    times = f" ({tries} tries)" if tries > 1 else ""
    if isinstance(error, asyncio.TimeoutError | TimeoutError) or any(
        "Timeout" in name for name in _classes(error)
    ):
        return TimeoutError(f"{name}: the server did not answer in time{times}")
    if isinstance(error, _FINAL):
        return type(error)(f"{name}: {first_line(error)}")
    return OSError(f"{name}: {first_line(error)}{times}")


def _classes(error):
    return {each.__name__ for each in type(error).__mro__}
