"""TFRecord files, read in any order.

A record is its length (8 bytes, little endian), a checksum of that (4 bytes), the
content, and a checksum of that (4 bytes).
"""

import functools
import os
import re
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import google_crc32c
from absl import logging

from ...arguments import suggest_arguments
from ...utils import files
from ...utils.progress import Bar
from ...utils.remote import cache

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_NAME = re.compile(r"-\d{5}-of-\d{5}$|\.tfrecords?$")
_SHARD = re.compile(r"-\d{5}-of-(\d{5})$")
_GZIP = b"\x1f\x8b"
# Finding records waits for storage, not for the processor.
_THREADS = 16


class Record(NamedTuple):
    """Place of a record in a file."""

    path: str
    offset: int  # of its content, in bytes
    length: int


def is_record_file(path: str | os.PathLike) -> bool:
    """Whether a file is one of records by its name."""
    return bool(_NAME.search(os.fspath(path)))


@suggest_arguments
def find_records(
    paths: str | os.PathLike | Sequence[str | os.PathLike],
) -> tuple[Record, ...]:
    """Lists the records of TFRecord files, reading only their lengths.

    Records after a damaged or truncated length cannot be found; they are left out with
    a warning.

    Args:
        paths: the files, local or addresses; or one pattern (`records/train-*`).

    Returns:
        The records, in order.

    Raises:
        OSError: a file does not exist.
        ValueError: a file is compressed, the pattern matches several sets of files, or
            there are no records.
    """
    if isinstance(paths, (str, os.PathLike)):
        pattern, paths = paths, files.matching(paths)
        if not paths:
            raise FileNotFoundError(f"{pattern}: there are no such record files")
        sets = {_SHARD.sub(r"-*-of-\1", path) for path in paths}
        if len(sets) > 1:
            raise ValueError(
                f"{pattern}: matches {len(sets)} sets of record files, which may hold "
                f"the same clips; choose one of {', '.join(sorted(sets))}"
            )
    with ThreadPoolExecutor(_THREADS) as pool:
        found = Bar(
            pool.map(_records_of, map(os.fspath, paths)),
            desc="Finding records",
            total=len(paths),
            unit="file",
            leave=False,
            delay=2,
        )
        records = tuple(record for records in found for record in records)
    if not records:
        raise ValueError(f"There are no records in: {', '.join(map(str, paths))}")
    return records


def read_record(record: Record) -> bytes:
    """The content of a record.

    Raises:
        OSError: the file does not exist.
        ValueError: the content is truncated, or its checksum is wrong.
    """
    end = record.offset + record.length + _CHECKSUM.size
    content = files.read_range(record.path, record.offset, end)
    content, checksum = content[: record.length], content[record.length :]
    if len(checksum) < _CHECKSUM.size or checksum != _checksum(content):
        raise ValueError(
            f"{files.redact(record.path)}: the record at byte {record.offset} is "
            "damaged or truncated"
        )
    return content


def _records_of(path):
    if files.is_address(path):
        # A request for each record: the lengths are remembered.
        ends, damage = cache.remembered(
            path,
            "records",
            lambda: _scan(path, functools.partial(files.read_range, path)),
        )
    elif files.is_dir(path):
        raise ValueError(
            f"{path}: is a folder; pass the record files in it, as {path}/train-*"
        )
    else:
        with open(path, "rb") as file:
            ends, damage = _scan(path, functools.partial(_read, file))
    if damage is not None:
        logging.warning(
            "%s: is damaged at byte %d; the %d records before are used",
            path, damage, len(ends),
        )  # fmt: skip
    starts = [0, *ends]
    return [
        Record(path, start + _HEADER.size, end - start - _HEADER.size - _CHECKSUM.size)
        for start, end in zip(starts, ends, strict=False)
    ]


def _scan(path, read):
    """Where the records of a file end, and where it is damaged, or None."""
    total, offset, ends = files.size(path), 0, []
    while offset < total:
        header = read(offset, offset + _HEADER.size)
        if header[:2] == _GZIP and offset == 0:
            raise ValueError(
                f"{files.redact(path)}: is compressed; its records can only be read in "
                "order. Unpack it with gunzip"
            )
        if len(header) < _HEADER.size or header[8:] != _checksum(header[:8]):
            return ends, offset
        length, _ = _HEADER.unpack(header)
        offset += _HEADER.size + length + _CHECKSUM.size
        ends.append(offset)
    return ends, None


def _read(file, start, end):
    file.seek(start)
    return file.read(end - start)


def _checksum(content):
    """CRC32C, masked as TensorFlow does."""
    crc = google_crc32c.value(content)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return _CHECKSUM.pack(masked)
