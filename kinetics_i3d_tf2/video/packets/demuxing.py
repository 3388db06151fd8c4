"""Packets of a video, and the frames that are missing between them."""

from collections.abc import Iterator

import av

from ..damage import Damage
from .places import Places
from .stamps import Continued, Ends
from .tally import Tally
from .time_gaps import NEAR, TimeGaps

# Frames per second of files that do not announce a rate. Greater guesses are the
# ticks of a clock.
_USUAL_RATE = 25.0
_MAX_GUESSED_RATE = 120.0
# MPEG program and transport streams announce no length: FFmpeg guesses it from time
# stamps, which begin again where files were joined.
NO_LENGTH = ("mpeg", "mpegts")
_JOINABLE = (*NO_LENGTH, "ogg")
# Packets follow each other closely. A gap of more bytes that also skips time was not
# parsed, unless it holds what a container writes while nothing moves: tables, padding,
# or, in AVI, an empty chunk for each frame.
_HOLE = 512
_HOLES = {"flv": 64}  # Its packets have nothing between them but headers.
_IDLE_BYTES = {"mpegts": 8000, "mpeg": 8000}  # per second
_EMPTY_CHUNK = 24
_NEAR_IN_UNIT = 60  # Packets since a gap of time in a unit of a WMV file.
# Clocks and what fills up the last 188 bytes of a packet add to its headers.
_CUT_UP = {
    "mpegts": {"headers": 1.05, "per_packet": 250, "units": False},
    "asf": {"headers": 1.0, "per_packet": 20, "units": True},
}
# The first packet of a program stream's part may have the time of the one before.
_GAP = {"mpeg": 2.5}  # frames
_USUAL_GAP = 1.75  # Films that are shown as television have steps of 1.5.


def packets(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    damage: Damage,
    tally: Tally,
) -> Iterator[tuple[av.Packet, bool]]:
    """Yields packets, and whether frames before them were lost with a part of the file.

    Frames are missing where both bytes and time are skipped; the packets of all streams
    tell which bytes were parsed. Time stamps that begin again are made to go on.

    Args:
        container: the open file.
        stream: its video.
        damage: its count of missing frames is updated.
        tally: is filled in.

    Yields:
        A packet of the stream, and whether frames are missing before it.
    """
    format_name, step = container.format.name, frame_seconds(stream)
    idle_bytes = _idle_bytes(format_name, step)
    is_shown, gap = format_name == "matroska,webm", _GAP.get(format_name, _USUAL_GAP)
    least_hole = _HOLES.get(format_name, _HOLE)
    near = _NEAR_IN_UNIT if format_name == "asf" else NEAR
    gaps = TimeGaps(step, idle_bytes, least_steps=gap, near=near, is_shown=is_shown)
    places = Places(**_CUT_UP[format_name]) if format_name in _CUT_UP else None
    ends, continued = Ends(tally, step), Continued(step)
    hole, packets_since_hole = 0, NEAR + 1
    for packet in _demuxed(container):
        is_film = packet.stream is stream
        skipped = tally.add_bytes(packet)
        if packet.stream.type == "audio":
            ends.add_sound(packet, skipped - _HOLE, idle_bytes)
        if places is not None:
            skipped = places.add(packet, is_film=is_film)
        if skipped > least_hole:
            hole, packets_since_hole = skipped - least_hole, 0
        elif format_name == "avi" and skipped < 0:
            # Sound is read ahead of pictures, by the index: nothing was skipped.
            packets_since_hole = NEAR + 1
        if not is_film:
            continue
        is_new = continued.is_new(packet)
        ends.add_film(packet, is_new=is_new)
        continued.shift(packet)
        tally.packets += bool(packet.size)
        tally.jumps += is_new and format_name not in _JOINABLE
        gaps.add(packet)
        lost = 0
        if packets_since_hole <= NEAR and not format_name.startswith("mov"):
            if gaps.explain(hole):
                packets_since_hole = NEAR  # It is done with.
            else:
                lost = gaps.take()
        damage.missing = gaps.missing
        packets_since_hole += 1
        yield packet, lost > 0
    if format_name in NO_LENGTH:
        damage.missing += ends.lost()


def frame_seconds(stream: av.VideoStream) -> float:
    """Seconds from one frame to the next, at the rate that the file announces."""
    guessed = stream.guessed_rate  # From time stamps or the codec, as in Ogg.
    if not guessed or guessed > _MAX_GUESSED_RATE:
        guessed = _USUAL_RATE
    return 1 / float(stream.average_rate or guessed)


def _demuxed(container):
    try:
        yield from container.demux()
    except IndexError:
        # At the end of the file PyAV flushes the decoders in order, and knows none of
        # streams that begin late (MPEG-TS). The film's was flushed before.
        return


def _idle_bytes(format_name, step):
    """Bytes per second that a container may hold where there are no packets."""
    if format_name == "avi":
        return _EMPTY_CHUNK / step
    return _IDLE_BYTES.get(format_name, 0)
