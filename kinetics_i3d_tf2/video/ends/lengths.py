"""Endings of containers that announce their size: AVI, MP4, WMV and MXF."""

import os
from typing import BinaryIO

from .ending import Ending, by_length, read_at

# Boxes of an MP4 file that are looked at: one that is made of many fragments is long.
_MAX_BOXES = 200
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof"}
_BOXES |= {b"mfra", b"sidx", b"styp", b"meta", b"emsg", b"prft", b"pnot", b"udta"}
_BOXES |= {b"pdin", b"ssix", b"PICT", b"imda", b"junk"}
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEADER = 1 << 16  # Bytes in which the properties are.
_ASF_DATA = 50  # Bytes before the packets.
_MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201")


def avi(file: BinaryIO) -> Ending:
    """AVI: lists of a given size, one after the other (OpenDML)."""
    size, place = file.seek(0, os.SEEK_END), 0
    while len(head := read_at(file, place, 12)) == 12:
        length = int.from_bytes(head[4:8], "little")
        kind = b"AVIX" if place else b"AVI "
        if head[:4] != b"RIFF" or head[8:] != kind or length in (0, 0xFFFFFFFF):
            break
        place += 8 + length + length % 2
    # The padding of the last list may be left out.
    return by_length(file, place - (place == size + 1), size) if place else Ending()


def mp4(file: BinaryIO) -> Ending:
    """MP4 and QuickTime: boxes, each with its size."""
    size, place = file.seek(0, os.SEEK_END), 0
    for _ in range(_MAX_BOXES):
        head = read_at(file, place, 16)
        if len(head) < 8 or head[4:8] not in _BOXES:
            return by_length(file, place, size) if place else Ending()
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length < 8:  # 0 is up to the end of the file.
            return Ending()
        place += length
    return Ending()


def asf(file: BinaryIO) -> Ending:
    """WMV: the header has the file's size and length, unless it is a broadcast's."""
    size, head = file.seek(0, os.SEEK_END), read_at(file, 0, _ASF_HEADER)
    place = head.find(_ASF_PROPERTIES)
    fields = head[place + 40 : place + 92]
    if place < 0 or len(fields) < 52:
        return Ending()
    announced, _, _, play, _, preroll = (
        int.from_bytes(fields[start : start + 8], "little")
        for start in range(0, 48, 8)
    )  # fmt: skip
    if fields[48] & 1 or not announced:
        return Ending()
    seconds = max(0.0, play / 1e7 - preroll / 1e3)
    return by_length(file, announced, size)._replace(seconds=seconds)


def asf_begin(file: BinaryIO) -> int:
    """Byte of the first packet of a WMV file: after the header and the next object's.

    Args:
        file: the whole file.
    """
    return int.from_bytes(read_at(file, 16, 8), "little") + _ASF_DATA


def mxf(file: BinaryIO) -> Ending:
    """MXF: its header has the place of the footer, where it was closed."""
    size, head = file.seek(0, os.SEEK_END), read_at(file, 0, 128)
    if (fields := _mxf_fields(head)) is None:
        return Ending()
    footer = int.from_bytes(fields[24:32], "big")
    end = footer + 16
    fields = _mxf_fields(read_at(file, footer, 128))
    if footer and fields is not None:  # The index may be in it.
        end += sum(int.from_bytes(fields[at : at + 8], "big") for at in (32, 40))
    return Ending(is_cut=0 < footer and size < end)


def _mxf_fields(head):
    """The fields of a partition; None if it is no whole one."""
    if not head.startswith(_MXF_PARTITION) or len(head) < 64:
        return None
    return head[17 + (head[16] & 0x7F if head[16] & 0x80 else 0) :]
