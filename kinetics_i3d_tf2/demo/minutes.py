"""Long videos of the demonstration: several people, each of whom acts again and again.

Everyone has a thing of their own, such as a door, which they open and close in turns,
with pauses between. They do not wait for each other, so actions overlap.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from . import rooms, scenes
from .actions import Look

FRAME_RATE = 25
# Seconds of an action, and of the pause before it.
_ACTION, _PAUSE = (1.0, 2.0), (0.6, 3.0)
# By how many people there are: their places in metres from the middle, and pixels per
# metre.
_PLACES = {2: (-0.7, 0.7), 3: (-1.15, 0.0, 1.15)}
_SCALES = {2: (70, 78), 3: (58, 64)}
# Images of noise that a video has; more of them would take most of the time.
_NOISES = 8


class Move(NamedTuple):
    """An action with its time, in seconds."""

    action: scenes.Action
    start: float
    end: float
    ease: float  # how much slower it is at both ends than in its middle

    def phase(self, second: float) -> float:
        """Phase of what is drawn, from 0 to 1 or, of a reversed action, back."""
        time = min(max((second - self.start) / (self.end - self.start), 0.0), 1.0)
        time -= self.ease * np.sin(2 * np.pi * time) / (2 * np.pi)
        return 1 - time if self.action.is_reversed else time


class Actor(NamedTuple):
    """A person with a thing, and what they do with it.

    Attributes:
        look: the person and the thing.
        place: metres to the right of the middle of the room.
        is_mirrored: whether the person looks to the left.
        restless: frequency in Hz and phase of swaying on the spot.
        moves: actions, one after another.
    """

    look: Look
    place: float
    is_mirrored: bool
    restless: tuple[float, float]
    moves: tuple[Move, ...]

    def phase(self, second: float) -> float:
        """Phase of the person's action, and between two of them where it ended."""
        begun = [move for move in self.moves if move.start <= second]
        phase = (begun or self.moves)[-1 if begun else 0].phase(second)
        frequency, shift = self.restless
        return phase + 0.012 * np.sin(2 * np.pi * frequency * second + shift)

    def draw(self, image: np.ndarray, view: np.ndarray, second: float) -> None:
        """Draws the person and the thing.

        Args:
            image: uint8, drawn on in place.
            view: float `(3, 3)`, homography from metres to its pixels.
            second: time in the video.
        """
        there = np.diag([-1.0 if self.is_mirrored else 1.0, 1.0, 1.0])
        there[0, 2] = self.place
        canvas = scenes.Canvas(image, view @ there)
        self.moves[0].action.draw(canvas, self.look, self.phase(second))


def make_cast(rng: np.random.Generator, seconds: float) -> list[Actor]:
    """Picks two or three people with different things, and what each does when.

    Args:
        rng: random generator.
        seconds: length of the video, at least 8.

    Returns:
        The people, the farthest first.
    """
    places = _PLACES[int(rng.integers(2, 4))]
    pairs = rng.permutation(len(scenes.ACTIONS) // 2)
    cast = []
    for pair, place in zip(pairs, rng.permutation(places), strict=False):
        look, place = scenes.random_look(rng), place + rng.uniform(-0.1, 0.1)
        is_mirrored = bool(rng.uniform() < 0.5)
        restless = rng.uniform(0.2, 0.6), rng.uniform(0, 2 * np.pi)
        moves = tuple(_moves(pair, rng, seconds))
        cast.append(Actor(look, float(place), is_mirrored, restless, moves))
    return cast


def _moves(pair, rng, seconds) -> Iterator[Move]:
    """The two actions of a pair in turns."""
    direction = int(rng.integers(2))
    start = rng.uniform(0, _PAUSE[1])
    while True:
        end = start + rng.uniform(*_ACTION)
        if end > seconds:
            return
        action = scenes.ACTIONS[2 * pair + direction]
        start, end = round(start, 2), round(end, 2)
        yield Move(action, start, end, rng.uniform(-0.15, 0.3))
        direction = 1 - direction
        start = end + rng.uniform(*_PAUSE)


def render(
    cast: list[Actor], rng: np.random.Generator, seconds: float
) -> Iterator[np.ndarray]:
    """Draws a video.

    Args:
        cast: of `make_cast`.
        rng: random generator.
        seconds: length of the video.

    Yields:
        Its frames, uint8 `(SIZE, SIZE, 3)`, RGB, `FRAME_RATE` per second.
    """
    camera = scenes.random_camera(rng)._replace(
        scale=rng.uniform(*_SCALES[len(cast)]),
        is_mirrored=False,
        noise=rng.uniform(0.5, 2),
    )
    # On a tripod: the room is drawn once.
    view = scenes.view(camera, 0.0)
    room = scenes.empty_room(rooms.draw(rng), view).image
    noises = [scenes.noise(camera, rng) for _ in range(_NOISES)]
    for number in range(round(seconds * FRAME_RATE)):
        image = room.copy()
        for actor in cast:
            actor.draw(image, view, number / FRAME_RATE)
        yield scenes.expose(image, camera, noises[rng.integers(_NOISES)])
