"""Addresses of files, and how they are shown without the credentials in them."""

import os
import re

# Chained addresses, such as filecache::s3://bucket/a.mp4, are fsspec's.
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*::)*([A-Za-z][A-Za-z0-9+.-]+)://")
_IN_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s'\"<>\\]+)")
# X-Amz-Signature and X-Goog-Credential, Azure's sig, CloudFront's Policy, tokens.
_SECRET = re.compile(
    r"sig|token|key|secret|pass|pwd|cred|auth|policy|session|jwt|code|access", re.I
)
_LONGEST_SHOWN = 32  # characters of a value; random strings are longer
_HIDDEN = "***"


def is_address(path: str | os.PathLike) -> bool:
    """Whether a path is an address (`s3://bucket/clip.mp4`) and not a local file."""
    return bool(_ADDRESS.match(os.fspath(path)))


def scheme(address: str | os.PathLike) -> str:
    """The scheme of an address in lower case: "s3"; of a chained one, the last."""
    return _ADDRESS.match(os.fspath(address))[1].lower()


def is_chained(address: str | os.PathLike) -> bool:
    """Whether an address is chained: `filecache::s3://bucket/a.mp4`."""
    return "::" in os.fspath(address).partition("://")[0]


def without_query(path: str | os.PathLike) -> str:
    """A path, or an address of HTTP without its query (`?X-Amz-Signature=...`)."""
    return split_query(path)[0]


def split_query(path: str | os.PathLike) -> tuple[str, str]:
    """A path and "", or an address of HTTP and its query, such as a signature."""
    path = os.fspath(path)
    if not is_address(path) or scheme(path) not in ("http", "https"):
        return path, ""
    end = re.search(r"[?#]|$", path).start()
    return path[:end], path[end:]


def redact(text: str | os.PathLike) -> str:
    """Hides the credentials of all addresses in a text.

    Args:
        text: an address, or a message that contains addresses.

    Returns:
        The text with `***` in place of user names and passwords (`user:password@`) and
        of query values that are signatures, tokens or keys, or that are too long to be
        anything else.

    Examples:
        >>> redact("https://me:secret@host/a.mp4?id=7&X-Amz-Signature=abc: is empty")
        'https://***@host/a.mp4?id=7&X-Amz-Signature=***: is empty'
    """
    return _IN_TEXT.sub(lambda found: found[1] + _redact(found[2]), os.fspath(text))


def _redact(rest):
    """What follows `scheme://`, with its credentials hidden."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    port = authority.rpartition(":")[2]
    if ":" in authority and not port.isdecimal() and not authority.endswith("]"):
        authority = rest  # The password has a slash in it.
    if "@" in authority:
        user = authority.rpartition("@")[0]
        rest = f"{_HIDDEN}{rest[len(user) :]}"
    start, *parameters = re.split(r"([?&;#])", rest)
    return start + "".join(map(_redact_parameter, parameters))


def _redact_parameter(text):
    key, equals, value = text.partition("=")
    is_secret = _SECRET.search(key) or len(value) > _LONGEST_SHOWN
    if not equals or not is_secret:
        return text
    punctuation = value[len(value.rstrip(".,:;)]")) :]
    return f"{key}={_HIDDEN}{punctuation}"
