"""Bytes of a file that no packet holds, where packets are stored in parts."""


class Places:
    """Where the packets lie, in a file that cuts them up and mixes those of streams.

    FFmpeg gives the place of the first part. In MPEG transport streams a packet of the
    film comes when the next one is found, after the sound that lies between them and
    behind. In WMV files many packets have the place of the unit that they lie in.

    Args:
        headers: bytes that hold a byte of a packet.
        per_packet: bytes that are added to each packet.
        units: whether places are those of units, which packets fill up.
    """

    _MAX_PER_UNIT = 60  # With more packets, a unit is closed before it is full.

    def __init__(self, *, headers: float, per_packet: int, units: bool):
        self._headers, self._per_packet, self._units = headers, per_packet, units
        self._place = None  # of the film's last packets
        self._used = self._count = 0  # Bytes of those packets, and how many they are.
        self._others = []  # Places and bytes of packets of other streams.

    def add(self, packet, *, is_film: bool) -> float:
        """Takes a packet.

        Args:
            packet: of any stream, in FFmpeg's order.
            is_film: whether it is the film's.

        Returns:
            Bytes between the place of the film's last packet and this one's that no
            packet holds; 0 for a packet of another stream.
        """
        if not packet.size:
            return 0.0
        used = packet.size * self._headers + self._per_packet
        place = packet.pos if packet.pos is not None and packet.pos >= 0 else None
        if not is_film:
            if place is None and self._others:
                place = self._others[-1][0]
            if place is not None:
                self._others.append((place, used))
            return 0.0
        rest = 0.0
        if self._place is None:
            self._place = place
        elif place is not None and place > self._place:
            rest = self._rest(place)
            self._place, self._count = place, 0
            self._used = max(0.0, -rest) if self._units else 0.0
            self._others = [other for other in self._others if other[0] >= place]
        self._used += used
        self._count += 1
        return max(0.0, rest)

    def _rest(self, place):
        between = [used for at, used in self._others if self._place <= at < place]
        if self._units and self._count + len(between) > self._MAX_PER_UNIT:
            return 0.0
        return place - self._place - self._used - sum(between)
