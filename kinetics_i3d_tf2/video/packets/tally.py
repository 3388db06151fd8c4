"""What was read of a video file, to compare with what the file should hold."""

import dataclasses

# Codecs whose packets hold one frame each.
_FRAME_PER_PACKET = ("mpeg1video", "mpeg2video")


class Undecoded:
    """Packets from which no frame came.

    In MPEG-1 and MPEG-2 each packet holds a frame. Other codecs have packets that show
    none (hidden references, single fields): of these only packets before the first key
    frame count, where nothing before it was decoded.

    Frames that follow the first key frame in the file and are shown before it may refer
    to an earlier group, which the file does not have. FFmpeg skips them, and they do
    not count.
    """

    def __init__(self, codec: str):
        self._is_exact = codec in _FRAME_PER_PACKET
        self._key = None  # Time stamp of the first key frame.
        self._is_leading = True
        self._packets_before = self._packets = 0
        self._frames_before = self._frames = 0

    def add_packet(self, packet) -> None:
        """Counts a packet that was decoded without an error."""
        if not packet.size or packet.is_discard:
            return
        if self._key is None and not packet.is_keyframe:
            self._packets_before += 1
            return
        ticks = packet.dts if packet.pts is None else packet.pts
        if self._key is None:
            self._key = ticks or 0
        if ticks is not None and ticks > self._key:
            self._is_leading = False
        if not self._is_leading or ticks is None or ticks >= self._key:
            self._packets += 1

    def add_frame(self, frame) -> None:
        """Counts a frame, after the packet that completed it."""
        is_shown_before = frame.pts is not None and frame.pts < (self._key or 0)
        if (self._key is None or is_shown_before) and not self._frames:
            self._frames_before += 1
        else:
            self._frames += 1

    @property
    def count(self) -> int:
        """How many there are, after the last frame."""
        if self._key is None:
            return 0
        before = 0 if self._frames_before else self._packets_before
        return before + self._is_exact * max(0, self._packets - self._frames)


@dataclasses.dataclass
class Tally:
    """Packets of a file, and what they span.

    Attributes:
        undecoded: packets of the film that gave no frame.
        packets: of the film, those that hold data.
        begin: byte at which the first packet of any stream begins; None if unknown.
        end: byte after the last packet; None if unknown.
        hole: most bytes that were skipped at once since the film's last packet.
        film_end: second at which the film ends, by the time stamps of its last packets.
        spacing: seconds between its last two packets, for which the last frame of a
            still scene may stay.
        sound_end: second at which the sound ends, in the same way.
        jumps: time stamps that went back, in a file that was not joined from parts.
    """

    undecoded: Undecoded
    packets: int = 0
    begin: int | None = None
    end: int | None = None
    hole: int = 0
    film_end: float | None = None
    spacing: float = 0.0
    sound_end: float | None = None
    jumps: int = 0

    def add_bytes(self, packet) -> int:
        """Takes the place of a packet; returns the bytes skipped before it."""
        if not packet.size or packet.pos is None or packet.pos < 0:
            return 0
        skipped = 0 if self.end is None else packet.pos - self.end
        self.begin = packet.pos if self.begin is None else self.begin
        self.end = max(self.end or 0, packet.pos + packet.size)
        self.hole = max(self.hole, skipped)
        return skipped

    @property
    def sound_after(self) -> float:
        """Seconds of sound after the end of the film; 0 if either is unknown."""
        if self.film_end is None or self.sound_end is None:
            return 0.0
        return max(0.0, self.sound_end - self.film_end)
