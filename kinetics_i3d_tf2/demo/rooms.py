"""Rooms for the demonstration's clips: wall, floor and furnishings."""

import cv2
import numpy as np

from .drawing import Canvas, pale, shade

# Metres that a room's image shows, and its pixels per metre.
_LEFT, _TOP, _WIDTH, _HEIGHT, _SCALE = -2.6, 3.0, 5.2, 4.2, 150.0
_FROM_METRES = np.array(
    [[_SCALE, 0, -_LEFT * _SCALE], [0, -_SCALE, _TOP * _SCALE], [0, 0, 1]]
)
# Matrix from the pixels of a room's image to metres.
TO_METRES = np.linalg.inv(_FROM_METRES)


def random_color(rng: np.random.Generator) -> tuple:
    """Picks a random colour that stands out from a pale wall: RGB of 0 to 255."""
    hue, saturation = rng.uniform(0, 180), 255 * rng.uniform(0.2, 0.9)
    value = 255 * rng.uniform(0.15, 0.7)
    pixel = np.uint8([[[hue, saturation, value]]])
    return tuple(float(c) for c in cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0])


def draw(rng: np.random.Generator) -> np.ndarray:
    """Draws a room.

    Args:
        rng: random generator.

    Returns:
        uint8 `(height, width, 3)`, RGB; `TO_METRES` maps its pixels to metres.
    """
    shape = round(_HEIGHT * _SCALE), round(_WIDTH * _SCALE), 3
    canvas = Canvas(np.zeros(shape, np.uint8), _FROM_METRES)
    horizon = rng.uniform(0.08, 0.3)
    bottom, right = _TOP - _HEIGHT, _LEFT + _WIDTH
    wall, floor = (_pale_color(rng) for _ in range(2))
    floor = shade(floor, rng.uniform(0.7, 1))
    canvas.box(_LEFT, horizon, right, _TOP, wall, edge=1)
    _PATTERNS[rng.integers(len(_PATTERNS))](canvas, wall, horizon, rng)
    for _ in range(rng.integers(0, 4)):
        _hang(canvas, rng)
    canvas.box(_LEFT, bottom, right, horizon, floor, edge=1)
    if rng.uniform() < 0.6:
        _planks(canvas, floor, horizon, rng)
    canvas.box(_LEFT, horizon, right, horizon + 0.1, shade(wall, rng.uniform(0.6, 1.3)))
    if rng.uniform() < 0.5:
        _plant(canvas, horizon, rng)
    return _shaded(canvas.image, rng)


def _pale_color(rng):
    return pale(random_color(rng), 0.75)


def _plain(canvas, wall, horizon, rng):
    """Leaves the wall plain."""


def _stripes(canvas, wall, horizon, rng):
    step, tint = rng.uniform(0.15, 0.5), shade(wall, rng.uniform(0.9, 1.06))
    for left in np.arange(_LEFT, _LEFT + _WIDTH, step):
        canvas.box(left, horizon, left + step / 2, _TOP, tint, edge=1)


def _tiles(canvas, wall, horizon, rng):
    step, joint = rng.uniform(0.2, 0.45), shade(wall, rng.uniform(0.85, 0.94))
    for left in np.arange(_LEFT, _LEFT + _WIDTH, step):
        canvas.box(left, horizon, left + 0.015, _TOP, joint, edge=1)
    for low in np.arange(horizon, _TOP, step):
        canvas.box(_LEFT, low, _LEFT + _WIDTH, low + 0.015, joint, edge=1)


def _dots(canvas, wall, horizon, rng):
    step, tint = rng.uniform(0.2, 0.4), shade(wall, rng.uniform(0.88, 1.07))
    for row, y in enumerate(np.arange(horizon, _TOP, step)):
        for x in np.arange(_LEFT, _LEFT + _WIDTH, step):
            canvas.ellipse((x + step / 2 * (row % 2), y), step / 6, tint, edge=1)


_PATTERNS = (_plain, _stripes, _tiles, _dots)


def _hang(canvas, rng):
    """Hangs a picture, or a window, on the wall."""
    x, y = rng.uniform(-1.6, 1.6), rng.uniform(1.1, 2.0)
    half = rng.uniform(0.12, 0.35, 2)
    canvas.box(*((x, y) - half - 0.04), *((x, y) + half + 0.04), _pale_color(rng))
    canvas.box(*((x, y) - half), *((x, y) + half), _pale_color(rng))
    for _ in range(3):
        place = (x, y) + rng.uniform(-0.6, 0.6, 2) * half
        canvas.ellipse(
            place, rng.uniform(0.1, 0.4) * half, shade(_pale_color(rng), 0.85)
        )


def _planks(canvas, floor, horizon, rng):
    """Lays boards towards the viewer, so that their joints fan out."""
    low = _TOP - _HEIGHT
    tint = shade(floor, rng.uniform(0.84, 0.94))
    for x in np.arange(-6, 6, rng.uniform(0.25, 0.5)):
        far = 0.5 * x
        canvas.polygon(
            [(far, horizon), (x, low), (x + 0.03, low), (far + 0.015, horizon)],
            tint,
            edge=1,
        )


def _plant(canvas, horizon, rng):
    """Places a potted plant at the far left or right."""
    x = rng.uniform(0.9, 1.2) * rng.choice([-1, 1])
    y, pot, leaf = horizon - 0.05, _pale_color(rng), rng.uniform(0.9, 1.2)
    for angle in rng.uniform(-0.9, 0.9, 7):
        tip = (x, y + 0.3) + rng.uniform(0.3, 0.6) * np.array(
            [np.sin(angle), np.cos(angle)]
        )
        canvas.limb((x, y + 0.3), tip, (0.04, 0.09), shade((150, 190, 130), leaf))
    corners = [(x - 0.1, y), (x + 0.1, y), (x + 0.14, y + 0.3), (x - 0.14, y + 0.3)]
    canvas.polygon(corners, pot)


def _shaded(image, rng):
    """Adds light from one side, and a grain coarser than the camera's noise."""
    height, width = image.shape[:2]
    slope = rng.uniform(-0.12, 0.12, 2)
    light = 1 + slope[0] * np.linspace(-1, 1, width)[None, :, None]
    light = light + slope[1] * np.linspace(-1, 1, height)[:, None, None]
    grain = rng.standard_normal((height // 4, width // 4, 1), np.float32)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    light = light + rng.uniform(0, 0.03) * grain[:, :, None]
    return np.rint((image * light).clip(0, 255)).astype(np.uint8)
