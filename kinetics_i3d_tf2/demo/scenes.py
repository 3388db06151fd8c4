"""The demonstration's clips: four drawn actions, each forward and backward.

A class is an action and a direction of time. The direction only reverses the frames,
and everything else that changes with time (camera, speed, noise) is equally likely both
ways, so only the order of frames tells the two classes of a pair apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from . import actions, rooms
from .actions import Look
from .drawing import Body, Canvas

SIZE = 256  # pixels per side
# Shortest and longest clip, at 25 frames per second. Short, because TV-L1 flow takes
# most of a second per frame. From 13 to 16 frames, I3D computes two time steps of
# features, so full clips look like the clips of 14 frames that it was trained on.
FRAMES = (14, 16)
# Clips are drawn larger by this factor and reduced afterwards, which smooths edges.
_SCALE = 2


class Camera(NamedTuple):
    """Viewpoint and image quality of a clip."""

    scale: float  # pixels per metre
    shift: tuple[float, float]  # offset of the middle of the floor, in pixels
    roll: float  # radians
    yaw: float  # perspective along x: how much nearer a metre to the right is
    sway: np.ndarray  # (3, 3): size, frequency, phase of sway in x, y (pixels), zoom
    is_mirrored: bool
    noise: float  # standard deviation, of 255
    light: tuple[float, ...]  # factor per channel


class Action(NamedTuple):
    """A class: an action, and whether its frames are reversed."""

    name: str
    draw: Callable[[Canvas, Look, float], None]
    is_reversed: bool


# The two classes of a pair are neighbours.
ACTIONS = (
    Action("opening a door", actions.door, False),
    Action("closing a door", actions.door, True),
    Action("sitting down", actions.chair, False),
    Action("standing up", actions.chair, True),
    Action("picking up", actions.pickup, False),
    Action("putting down", actions.pickup, True),
    Action("pushing", actions.push, False),
    Action("pulling", actions.push, True),
)


def render(action: Action, rng: np.random.Generator) -> np.ndarray:
    """Draws a clip.

    Args:
        action: one of `ACTIONS`.
        rng: random generator; from the same state, the two actions of a pair draw the
            same frames in opposite order.

    Returns:
        uint8 `(frames, SIZE, SIZE, 3)`, RGB.
    """
    look, camera, phases = random_look(rng), random_camera(rng), _random_phases(rng)
    backdrop = rooms.draw(rng)
    frames = []
    for time, phase in zip(np.linspace(-1, 1, len(phases)), phases, strict=True):
        canvas = empty_room(backdrop, view(camera, time))
        action.draw(canvas, look, phase)
        frames.append(expose(canvas.image, camera, noise(camera, rng)))
    return np.stack(frames[::-1] if action.is_reversed else frames)


def empty_room(backdrop: np.ndarray, view: np.ndarray) -> Canvas:
    """Shows a room, to be drawn on.

    Args:
        backdrop: of `rooms.draw`.
        view: float `(3, 3)`, of `view`.
    """
    image = cv2.warpPerspective(
        backdrop,
        view @ rooms.TO_METRES,
        (SIZE * _SCALE, SIZE * _SCALE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Canvas(image, view)


def random_look(rng: np.random.Generator) -> Look:
    """Picks a person, and colours and sizes of things."""

    def between(low, high):
        low, high = np.array(low), np.array(high)
        return tuple(low + (high - low) * rng.uniform())

    shirt = rooms.random_color(rng)
    stripe = rooms.random_color(rng) if rng.uniform() < 0.35 else shirt
    body = Body(
        height=rng.uniform(1.5, 1.85),
        girth=rng.uniform(0.85, 1.35),
        skin=between((110, 70, 50), (245, 205, 175)),
        hair=between((25, 20, 20), (205, 165, 100)),
        shirt=shirt,
        stripe=stripe,
        trousers=rooms.random_color(rng),
        shoes=between((25, 25, 25), (230, 225, 220)),
        has_long_hair=bool(rng.uniform() < 0.5),
    )
    colors = tuple(rooms.random_color(rng) for _ in range(5))
    return Look(body, colors, tuple(rng.uniform(size=8)))


def random_camera(rng: np.random.Generator) -> Camera:
    """Picks a viewpoint and an image quality."""
    sway = np.stack(
        [
            rng.uniform(0, 1, 3) * (1.5, 1.0, 0.006),
            rng.uniform(0.5, 2.0, 3),
            rng.uniform(0, 2 * np.pi, 3),  # Uniform: prefers no direction of time.
        ],
        axis=1,
    )
    return Camera(
        scale=rng.uniform(92, 108),
        shift=(rng.uniform(-8, 8), rng.uniform(-6, 6)),
        roll=rng.normal() * 0.025,
        yaw=rng.uniform(-0.05, 0.05),
        sway=sway,
        is_mirrored=bool(rng.uniform() < 0.5),
        noise=rng.uniform(0.5, 3),
        light=tuple(rng.uniform(0.8, 1.05) * rng.uniform(0.93, 1.07, 3)),
    )


def _random_phases(rng):
    """Phase of each frame, from about 0 to about 1, at a varying speed."""
    time = np.linspace(0, 1, rng.integers(FRAMES[0], FRAMES[1] + 1))
    # Slower at both ends or, equally likely, at either end.
    ease = rng.uniform(-0.2, 0.5) * np.sin(2 * np.pi * time) / (2 * np.pi)
    skew = rng.uniform(-0.35, 0.35) * np.sin(np.pi * time) / np.pi
    first, last = rng.uniform(0, 0.08, 2)
    return first + (1 - first - last) * (time - ease + skew)


def view(camera: Camera, time: float) -> np.ndarray:
    """Homography from metres to pixels of the large image.

    Args:
        camera: its sway has the frequencies of a clip that lasts from -1 to 1.
        time: of the frame.

    Returns:
        float64 `(3, 3)`.
    """
    size, frequency, phase = camera.sway.T
    x, y, zoom = size * np.sin(np.pi * frequency * time + phase)
    scale = camera.scale * (1 + zoom)
    cos, sin = scale * np.cos(camera.roll), scale * np.sin(camera.roll)
    # The middle of the floor is low in the image, whose y axis points down.
    place = np.array([SIZE / 2, SIZE * 0.84]) + camera.shift + (x, y)
    turn = np.array([[cos, sin, 0], [sin, -cos, 0], [0, 0, 1.0]])
    turn[2, 0] = -camera.yaw
    move = np.array([[1, 0, place[0]], [0, 1, place[1]], [0, 0, 1.0]])
    return np.diag([_SCALE, _SCALE, 1.0]) @ move @ turn


def noise(camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Draws the noise of an image: float32 `(SIZE, SIZE, 3)`."""
    shape = SIZE, SIZE, 3
    return rng.standard_normal(shape, np.float32) * np.float32(camera.noise)


def expose(image: np.ndarray, camera: Camera, noise: np.ndarray) -> np.ndarray:
    """Reduces the large image to uint8 `(SIZE, SIZE, 3)`, and adds light and noise."""
    image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    if camera.is_mirrored:
        image = image[:, ::-1]
    image = image * np.float32(camera.light) + noise
    return np.rint(image.clip(0, 255)).astype(np.uint8)
