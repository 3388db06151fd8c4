"""Time stamps that begin again, and streams that end before others."""

from .tally import Tally

# Time stamps of damaged packets, or where parts were joined, go back further.
_JITTER = 4  # frames
# Interleaved streams are this far apart at most.
_INTERLEAVING = 1.0  # seconds


def seconds(packet) -> float | None:
    """When a packet is shown, by its time stamps."""
    ticks = packet.dts if packet.pts is None else packet.pts
    return None if ticks is None else float(ticks * packet.time_base)


class Continued:
    """Makes the film's time stamps go on where they begin again.

    Decoding times never go back in a stream that was written as one.
    """

    def __init__(self, step: float):
        self._step = step  # seconds per frame
        self._latest = None  # The last packet's decoding time, in ticks of its file.
        self._offset = 0

    def is_new(self, packet) -> bool:
        """Whether time stamps begin again at a packet."""
        ticks, latest = packet.dts, self._latest
        if ticks is None:
            return False
        self._latest = ticks
        if latest is None:
            return False
        if (latest - ticks) * packet.time_base <= _JITTER * self._step:
            return False
        duration = packet.duration or round(self._step / packet.time_base)
        self._offset += latest + duration - ticks
        return True

    def shift(self, packet) -> None:
        """Makes the time stamps of a packet go on from those before."""
        if self._offset and packet.dts is not None:
            packet.dts += self._offset
        if self._offset and packet.pts is not None:
            packet.pts += self._offset


class Ends:
    """Where the film and the sound end, and whether the film ends in a hole.

    A hole is a part of the file that could not be parsed. Padding holds as many bytes,
    but the sound has no gap there.
    """

    def __init__(self, tally: Tally, step: float):
        self._tally = tally
        self._step = step
        self._film = None
        self._sounds = {}  # End of the last packet, by stream.
        # The first hole after the film's last packet: the seconds around it, and where
        # it ends. In MPEG-TS that packet comes when the next begins, or the file ends.
        self._hole = None

    def add_film(self, packet, *, is_new: bool) -> None:
        """Takes a packet of the film, with the time stamps of the file."""
        time = seconds(packet)
        if time is None or not packet.size:
            return  # At the end of the file an empty one follows.
        if self._hole is None or packet.pos is not None and packet.pos > self._hole[2]:
            self._hole, self._tally.hole = None, 0
        latest = time if self._film is None or is_new else max(self._film, time)
        self._tally.spacing = 0.0 if self._film is None else latest - self._film
        self._film = latest
        self._tally.film_end = latest + self._step

    def add_sound(self, packet, skipped: int, idle_bytes: float) -> None:
        """Takes a packet of sound.

        Args:
            packet: the packet.
            skipped: bytes skipped before it.
            idle_bytes: bytes that the container holds anyway, per second.
        """
        time = seconds(packet)
        if time is None:
            return
        before = self._sounds.get(packet.stream_index, time)
        gap = time - before
        is_hole = gap > 1.5 * self._step and skipped > idle_bytes * gap
        if is_hole and self._hole is None:
            self._hole = before, time, packet.pos
        duration = float((packet.duration or 0) * packet.time_base)
        self._sounds[packet.stream_index] = time + duration
        self._tally.sound_end = max(self._sounds.values())

    def lost(self) -> int:
        """Frames that were lost with the end of the film, after the last packet."""
        if self._hole is None or self._film is None:
            return 0
        before, after, _ = self._hole
        if self._film < before - _INTERLEAVING:
            return 0  # It had ended.
        return max(1, round((after - self._film) / self._step) - 1)
