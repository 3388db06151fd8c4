"""Packets of a video, and the frames that are missing between them."""

from collections.abc import Iterator

import av

from .damage import Damage

# Frames per second of files that do not announce a rate.
USUAL_RATE = 25.0
# Packets follow each other closely. A gap of more bytes that also skips time was not
# parsed, unless it holds what a container writes while nothing moves: tables, padding,
# or, in AVI, an empty chunk for each frame.
_HOLE = 512
_IDLE_BYTES = {"mpegts": 8000, "mpeg": 8000}  # per second
_EMPTY_CHUNK = 24
_NEAR = 2  # Packets between a gap of bytes and its gap of time.


def packets(
    container: av.container.InputContainer, stream: av.VideoStream, damage: Damage
) -> Iterator[tuple[av.Packet, bool]]:
    """Yields packets, and whether frames before them were lost with a part of the file.

    Frames are missing where both bytes and time are skipped; the packets of all streams
    tell which bytes were parsed.

    Args:
        container: the open file.
        stream: its video.
        damage: its count of missing frames is updated.

    Yields:
        A packet of the stream, and whether frames are missing before it.
    """
    has_index = container.format.name.startswith("mov")
    is_avi = container.format.name == "avi"
    gaps = _TimeGaps(stream, _idle_bytes(container, stream), is_avi=is_avi)
    end, hole, packets_since_hole = None, 0, _NEAR + 1
    for packet in _demuxed(container):
        if packet.size and packet.pos is not None and packet.pos >= 0:
            if end is not None and packet.pos > end + _HOLE:
                hole, packets_since_hole = packet.pos - end, 0
            elif is_avi and end is not None and packet.pos < end:
                # Sound is read ahead of pictures, by the index: nothing was skipped.
                packets_since_hole = _NEAR + 1
            end = max(end or 0, packet.pos + packet.size)
        if packet.stream is not stream:
            continue
        gaps.add(packet)
        lost = 0
        if packets_since_hole <= _NEAR and not has_index:
            if gaps.explain(hole):
                packets_since_hole = _NEAR  # It is done with.
            else:
                lost = gaps.take()
        damage.missing = gaps.missing
        packets_since_hole += 1
        yield packet, lost > 0


def _demuxed(container):
    try:
        yield from container.demux()
    except IndexError:
        # At the end of the file PyAV flushes the decoders in order, and knows none of
        # streams that begin late (MPEG-TS). The film's was flushed before.
        return


def _idle_bytes(container, stream):
    """Bytes per second that a container may hold where there are no packets."""
    if container.format.name == "avi":
        return _EMPTY_CHUNK * float(stream.average_rate or USUAL_RATE)
    return _IDLE_BYTES.get(container.format.name, 0)


class _TimeGaps:
    """Gaps in the times of packets, which come in the order of decoding."""

    def __init__(self, stream, idle_bytes, *, is_avi):
        self._idle_bytes = idle_bytes  # per second
        self._is_avi = is_avi
        self.missing = 0  # Frames of the gaps that were taken.
        self._step = 1 / float(stream.average_rate or USUAL_RATE)
        self._latest = None
        self._seen = None  # The last gap: its times and the packets since.
        self._taken = None  # Times of the last gap that was taken.

    def add(self, packet):
        # FFmpeg guesses presentation times of AVI, which stores none.
        has_pts = packet.pts is not None and not self._is_avi
        ticks = packet.pts if has_pts else packet.dts
        if ticks is None:
            return
        time = float(ticks * packet.time_base)
        if self._taken and self._taken[0] < time < self._taken[1] and self.missing:
            self.missing -= 1  # A frame that was only reordered.
        if self._seen:
            self._seen[2] += 1
        if self._latest is not None and time - self._latest > 1.5 * self._step:
            self._seen = [self._latest, time, 0]
        self._latest = time if self._latest is None else max(self._latest, time)

    def explain(self, hole):
        """Whether nothing is lost, as so many bytes fill a gap that was just seen."""
        if self._seen is None or self._seen[2] > _NEAR:
            return False
        return hole < _HOLE + self._idle_bytes * (self._seen[1] - self._seen[0])

    def take(self):
        """Counts the frames of a gap that has just been seen; 0 if there is none."""
        if self._seen is None or self._seen[2] > _NEAR:
            return 0
        self._taken, self._seen = self._seen[:2], None
        lost = max(0, round((self._taken[1] - self._taken[0]) / self._step) - 1)
        self.missing += lost
        return lost
