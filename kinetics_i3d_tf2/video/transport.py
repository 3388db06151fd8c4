"""Bytes of an MPEG transport stream that are in no packet of its streams."""

# Headers, clocks and what fills up the last 188 bytes of a packet.
_HEADERS = 1.05
_PER_PACKET = 250


class TransportPlaces:
    """Where the packets of a transport stream lie.

    FFmpeg gives a packet of the film when it finds the next one, after the sound that
    lies between them and behind.
    """

    def __init__(self):
        self._film = None  # Place of the last packet that begins a part, bytes since.
        self._others = []  # Places and bytes of packets of other streams.

    def add(self, packet, *, is_film: bool) -> float:
        """Takes a packet.

        Args:
            packet: of any stream, in FFmpeg's order.
            is_film: whether it is the film's.

        Returns:
            Bytes between the last packet of the film and this one that no packet holds;
            0 for a packet of another stream.
        """
        used = packet.size * _HEADERS + _PER_PACKET if packet.size else 0
        place = packet.pos if packet.pos is not None and packet.pos >= 0 else None
        if not is_film:
            if place is None and self._others:
                place = self._others[-1][0]
            if place is not None:
                self._others.append((place, used))
            return 0.0
        if place is None:
            if self._film is not None:
                self._film = self._film[0], self._film[1] + used
            return 0.0
        before, self._film = self._film, (place, used)
        if before is None:
            return 0.0
        between = [size for at, size in self._others if before[0] <= at < place]
        self._others = [other for other in self._others if other[0] >= place]
        return max(0.0, place - before[0] - before[1] - sum(between))
