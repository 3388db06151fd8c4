"""Which fsspec file system opens an address, and with which time limits."""

import importlib.util
import os
import sys

from .addresses import is_chained, redact, scheme
from .retries import call, first_line

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0  # without a byte

# Extras of this package, by the package that they install.
_EXTRAS = {"s3fs": "s3", "gcsfs": "gcs", "aiohttp": "http"}
# A file appears in them once it is whole.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci"}


def connect(address: str | os.PathLike):
    """Finds the file system of an address.

    Options of fsspec's file systems are read from its configuration, such as the
    environment variable `FSSPEC_S3_ANON=true`.

    Args:
        address: address of a file or folder.

    Returns:
        The fsspec file system, and the path by which it knows the address.

    Raises:
        OSError: the file system cannot be opened.
        ValueError: a package is missing, or the scheme is unknown.
    """
    import fsspec

    address, kind = os.fspath(address), scheme(address)
    try:
        if is_chained(address):
            return fsspec.core.url_to_fs(address)
        if kind in ("http", "https"):
            return _http(kind), address
        if kind not in fsspec.available_protocols():
            return _by_tensorflow(address), address
        return fsspec.core.url_to_fs(address, **_options(kind))
    except ImportError as error:
        raise ValueError(f"{redact(address)}: {_advice(kind, error)}") from error
    except OSError as error:  # Of a library of the file system, such as Java's.
        raise OSError(f"{redact(address)}: {first_line(error)}") from None


def check_writable(address: str | os.PathLike) -> None:
    """Finds out that an address cannot be written to, without writing.

    Args:
        address: of a file or folder that will be written.

    Raises:
        OSError: there is no such bucket, or it may not be accessed.
        ValueError: its file system only reads, or a package is missing.
    """
    if scheme(address) in ("http", "https"):
        raise ValueError(
            f"{redact(address)}: files at http:// can only be read; use a folder on "
            "this machine or s3://"
        )
    fs, path = connect(address)
    if appears_whole(address) and not is_chained(address):
        bucket = path.strip("/").partition("/")[0]
        if not call(address, fs.exists, bucket):
            raise FileNotFoundError(f"{redact(address)}: there is no such bucket")


def appears_whole(address: str | os.PathLike) -> bool:
    """Whether a file is seen at an address only after its upload is complete."""
    return scheme(address) in _OBJECT_STORES


def _http(kind):
    from fsspec.config import conf

    from .http import RangeHTTPFileSystem

    limits = {"connect_seconds": CONNECT_SECONDS, "read_seconds": READ_SECONDS}
    return RangeHTTPFileSystem(**limits | dict(conf.get(kind, {})))


def _options(kind):
    """Options that the user's configuration overrides."""
    from fsspec.config import conf

    options = {}
    if kind in ("s3", "s3a"):
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        # `retries.call` tries again, and each layer would multiply the time.
        options = {"config_kwargs": {**limits, "retries": {"total_max_attempts": 1}}}
        options["use_listings_cache"] = False  # Other programs write, too.
    return options | dict(conf.get(kind, {}))


def _by_tensorflow(address):
    has_package = importlib.util.find_spec("tensorflow_io") is not None
    if has_package or "tensorflow" in sys.modules:
        from . import gfile

        if gfile.registered(scheme(address)):
            return gfile.GFileSystem(scheme(address))
    raise ValueError(
        f"{redact(address)}: there is no file system for {scheme(address)}://, neither "
        "in fsspec (pip install the package of its file system) nor in tensorflow-io "
        "(extra io)"
    )


def _advice(kind, error):
    """What to install."""
    for package, extra in _EXTRAS.items():
        if package in str(error):
            return f"{kind}:// needs {package}: pip install 'kinetics-i3d-tf2[{extra}]'"
    return f"{kind}:// is unavailable: {error}"
