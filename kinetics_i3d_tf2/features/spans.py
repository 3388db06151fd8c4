"""Which frames of a video are taken: all, the first ones, or some at a random place."""

import collections
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..models.architecture import MIN_FRAMES
from ..video.arrays import stack


class ShortVideoError(ValueError):
    """A video has too few frames."""


class Span(NamedTuple):
    """Which frames of a video are taken.

    Attributes:
        num_frames: their number; None takes all.
        seed: takes them from a random place; None takes the first ones.
        number: number of the video in its set, which the random place depends on.
    """

    num_frames: int | None
    seed: int | None
    number: int

    @property
    def is_random(self) -> bool:
        """Whether the place is random."""
        return self.seed is not None and self.num_frames is not None

    def of_array(self, video: np.ndarray, name: str) -> np.ndarray:
        """Takes the frames of an array.

        Args:
            video: `(frames, height, width, 3)`.
            name: name in error messages.

        Raises:
            ShortVideoError: it has too few frames.
        """
        self._check(name, len(video))
        start = 0
        if self.is_random:
            start = int(self._rng().integers(len(video) - self.num_frames + 1))
        end = None if self.num_frames is None else start + self.num_frames
        return np.asarray(video[start:end])

    def of_iterator(self, frames: Iterable[np.ndarray], name: str) -> np.ndarray:
        """Takes the frames of an iterator.

        At a random place, memory holds two clips, whatever the length of the video.

        Args:
            frames: arrays `(height, width, 3)`.
            name: name in error messages.

        Raises:
            ShortVideoError: it has too few frames.
        """
        if not self.is_random:
            taken = stack(frames)
            self._check(name, len(taken))
            return taken
        window, taken, count = collections.deque(maxlen=self.num_frames), (), 0
        rng = self._rng()
        for count, frame in enumerate(frames, 1):
            window.append(frame)
            places = count - self.num_frames + 1
            # The last of so many places replaces the choice among those before it.
            if places > 0 and rng.integers(places) == 0:
                taken = tuple(window)
        self._check(name, count)
        return np.stack(taken)

    def _rng(self):
        return np.random.default_rng((self.seed, self.number))

    def _check(self, name, count):
        wanted = self.num_frames or MIN_FRAMES
        if count < wanted:
            raise ShortVideoError(
                f"{name}: has {count} frames, and {wanted} are needed"
            )
