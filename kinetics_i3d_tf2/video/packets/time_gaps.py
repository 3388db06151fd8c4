"""Frames that are missing between the packets of a video, by their times."""

NEAR = 2  # Packets between a gap of bytes and its gap of time.


class TimeGaps:
    """Gaps in the times of packets, which come in the order of decoding.

    Args:
        step: seconds per frame.
        idle_bytes: bytes per second that the file holds where there are no packets.
        least_steps: length of a gap, in frames.
        near: packets after a gap at which it can be taken.
        is_shown: use the times at which frames are shown, as those of decoding are
            FFmpeg's guess.
    """

    def __init__(
        self,
        step: float,
        idle_bytes: float,
        *,
        least_steps: float,
        near: int,
        is_shown: bool,
    ):
        self._idle_bytes = idle_bytes
        self._least = least_steps * step
        self._near = near
        self._is_shown = is_shown
        self.missing = 0  # Frames of the gaps that were taken.
        self._step = step
        self._latest = None
        self._behind = 0  # Packets since the last gap whose times did not advance.
        self._seen = None  # The last gap: its times and the packets since.
        self._taken = None  # Times of the last gap that was taken.

    def add(self, packet) -> None:
        """Takes a packet of the film."""
        ticks = packet.pts if self._is_shown else packet.dts
        if ticks is None:
            return
        time = float(ticks * packet.time_base)
        if self._taken and self._taken[0] < time < self._taken[1] and self.missing:
            self.missing -= 1  # A frame that was only reordered.
        if self._latest is not None and time <= self._latest and not self._is_shown:
            self._behind += 1
        if self._seen:
            self._seen[2] += 1
        if self._latest is not None and time - self._latest > self._least:
            self._seen = [self._latest, time, 0]
        self._latest = time if self._latest is None else max(self._latest, time)

    def explain(self, hole: float) -> bool:
        """Whether nothing is lost, as so many bytes fill a gap that was just seen."""
        if self._seen is None or self._seen[2] > self._near:
            return False
        return hole < self._idle_bytes * (self._seen[1] - self._seen[0])

    def take(self) -> int:
        """Counts the frames of a gap that has just been seen; 0 if there is none."""
        if self._seen is None or self._seen[2] > self._near:
            return 0
        self._taken, self._seen = self._seen[:2], None
        frames = round((self._taken[1] - self._taken[0]) / self._step)
        lost = max(0, frames - 1 - self._behind)
        self.missing += lost
        self._behind = 0
        return lost
