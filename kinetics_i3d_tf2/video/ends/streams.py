"""Endings of containers that announce no size: GIF, Ogg, MPEG, Flash and y4m."""

import re
from typing import BinaryIO

from ..packets.tally import Tally
from .ending import Ending, read_at, read_tail, trailing_bytes

_MAX_GIF = 1 << 28  # Larger ones are not walked through.
_TS_PACKETS = (188, 192, 204)  # plain, with times (Blu-ray), with checksums (DVB)
_TS_SIZE, _SYNC = 188, b"G"
_TS_RUN = 5  # packets in a row that are no coincidence
_PES = re.compile(rb"\x00\x00\x01[\xbd\xc0-\xef]")
# The end, a pack, its header, a map, or padding, after zeros.
_PS_START = re.compile(rb"[\x00\xff]*\x00\x00\x01[\xb9-\xbc\xbe]")
_MIN_REST = 32  # Fewer bytes hold no frame.
_FLV_SCRIPT = 18
_FLV_TAGS = (8, 9, _FLV_SCRIPT)  # sound, pictures
_OGG_POLYNOMIAL = 0x04C11DB7


def gif(file: BinaryIO, decoded: int) -> Ending:
    """GIF: blocks up to a trailer, some of them images.

    Args:
        file: the whole file.
        decoded: images that FFmpeg found.
    """
    data, size = read_tail(file, _MAX_GIF)
    if len(data) < size:
        return Ending(is_cut=not data[-64:].rstrip(b"\0\r\n").endswith(b";"))
    images, place, has_trailer = _walk_gif(data)
    if has_trailer:
        trailing = trailing_bytes(file, place, size)
        return Ending(missing=max(0, images - decoded), trailing=trailing)
    if not data[place:].strip(b"\0\r\n"):
        return Ending(is_cut=True, missing=max(0, images - decoded))
    # What follows cannot be parsed: as many images as take that many bytes.
    lost = max(1, round((size - place) * images / max(place, 1)))
    return Ending(missing=max(1, images + lost - decoded))


def _walk_gif(data):
    """Counts images: how many, up to which place, and whether a trailer is there."""
    images, place, end = 0, 13 + _gif_colors(data, 10), len(data)
    while place < end and data[place] in b"\x21\x2c":
        begin = place
        is_image = data[place] == 0x2C
        if is_image:
            place += 10 + _gif_colors(data, place + 9) + 1
        else:
            place += 2
        while place < end and data[place]:
            place += data[place] + 1
        if place >= end:
            return images, (end if is_image else begin), False
        images += is_image
        place += 1
    has_trailer = place < end and data[place] == 0x3B
    return images, place + has_trailer, has_trailer


def _gif_colors(data, place):
    flags = data[place] if place < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def ogg(file: BinaryIO) -> Ending:
    """Ogg: pages with checksums, the last one with a flag."""
    tail, size = read_tail(file)
    start = tail.rfind(b"OggS")
    table = start + 27
    if start < 0 or table > len(tail) or table + tail[start + 26] > len(tail):
        return Ending(is_cut=True)
    lacing = tail[table : table + tail[start + 26]]
    end = table + len(lacing) + sum(lacing)
    page, is_last = tail[start:end], bool(tail[start + 5] & 4)
    if not is_last or end > len(tail):
        return Ending(is_cut=True)
    if int.from_bytes(page[22:26], "little") != _ogg_checksum(page):
        return Ending(missing=max(1, sum(length < 255 for length in lacing)))
    trailing = trailing_bytes(file, size - len(tail) + end, size)
    return Ending(trailing=trailing)


def _ogg_checksum(page):
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = value << 1 ^ (_OGG_POLYNOMIAL if value & 1 << 31 else 0)
        table.append(value & 0xFFFFFFFF)
    value = 0
    for byte in page[:22] + bytes(4) + page[26:]:  # Without the checksum itself.
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


def transport_stream(file: BinaryIO, tally: Tally) -> Ending:
    """MPEG-TS: packets of one size, each with a sync byte.

    Args:
        file: the whole file.
        tally: of its packets.
    """
    tail, size = read_tail(file)
    offset = size - len(tail)
    for packet in _TS_PACKETS:
        count = min(_TS_RUN, len(tail) // packet)
        for phase in range(packet):
            syncs = tail[phase::packet]
            if count and syncs.endswith(_SYNC * count):
                begin = phase + packet * (len(syncs) - 1)
                length = packet if packet > 192 else _TS_SIZE
                is_partial = len(tail) - begin != length
                last = max(0, (tally.end or 0) - offset - phase)
                first = _first_ts_phases(file, packet)
                # Bytes that are in no packet: behind the last one that was found, or
                # in the middle, as packets begin elsewhere than the first ones.
                is_torn = bool(syncs[-(-last // packet) :].strip(_SYNC))
                is_torn |= bool(first) and (offset + phase) % packet not in first
                return Ending(is_partial=is_partial, missing=is_partial or is_torn)
    return Ending(is_partial=True, missing=1)


def _first_ts_phases(file, packet):
    """Where the first packets may begin; nothing if they are damaged."""
    head = read_at(file, 0, packet * _TS_RUN)
    return [at for at in range(packet) if head[at::packet] == _SYNC * _TS_RUN]


def program_stream(file: BinaryIO, tally: Tally) -> Ending:
    """MPEG-PS: packets that have their lengths.

    Args:
        file: the whole file.
        tally: of its packets.
    """
    tail, size = read_tail(file)
    found = [match.start() for match in _PES.finditer(tail)]
    end = 0
    if found:
        end = found[-1] + 6 + int.from_bytes(tail[found[-1] + 4 : found[-1] + 6], "big")
    if end > len(tail):
        return Ending(is_partial=True, missing=1)
    rest = tail[end:].rstrip(b"\0\xff")
    if len(rest.lstrip(b"\0\xff")) < _MIN_REST or _PS_START.match(rest):
        return Ending()
    # What follows cannot be parsed: as many frames as take that many bytes.
    parsed = max(size - len(rest), 1)
    return Ending(missing=max(1, round(len(rest) * tally.packets / parsed)))


def flash(file: BinaryIO) -> Ending:
    """FLV: tags, each followed by its size."""
    tail, size = read_tail(file, 4)
    length = int.from_bytes(tail, "big")
    place = size - 4 - length
    head = read_at(file, place, 4) if place >= 9 else b""
    is_whole = head[:1] and head[0] & 31 in _FLV_TAGS
    is_whole = is_whole and int.from_bytes(head[1:], "big") + 11 == length
    return Ending(is_partial=not is_whole, missing=not is_whole)


def flash_begin(file: BinaryIO) -> int:
    """Byte of the first tag that is no script data, or cannot be parsed.

    Args:
        file: the whole file.
    """
    place = int.from_bytes(read_at(file, 5, 4), "big") + 4
    while len(head := read_at(file, place, 4)) == 4 and head[0] & 31 == _FLV_SCRIPT:
        place += 11 + int.from_bytes(head[1:], "big") + 4
    return place


def y4m(file: BinaryIO, frame_bytes: int) -> Ending:
    """y4m: a line, then frames of one size, each after a line.

    Args:
        file: the whole file.
        frame_bytes: bytes of the pixels of a frame.
    """
    head = read_at(file, 0, 4096)
    begin = head.find(b"\n") + 1
    line = head[begin : head.find(b"\n", begin) + 1]
    _, size = read_tail(file, 0)
    whole, rest = divmod(size - begin, len(line) + frame_bytes)
    last = begin + (whole - 1) * (len(line) + frame_bytes)
    if not begin or not rest or (whole and read_at(file, last, len(line)) != line):
        return Ending()
    return Ending(is_partial=True, missing=1)
