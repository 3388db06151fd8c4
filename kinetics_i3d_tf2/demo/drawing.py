"""Draws people and things of the demonstration: metres in, pixels out."""

import dataclasses

import cv2
import numpy as np

# Fractional bits of OpenCV's coordinates; without them, slow motion, and the flow of
# it, would jump by whole pixels.
_SHIFT = 4
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)
_HALF_TURN = np.linspace(-np.pi / 2, np.pi / 2, 8)


@dataclasses.dataclass(frozen=True)
class Body:
    """A person: proportions in metres, colours as RGB of 0 to 255.

    Attributes:
        height: body height in metres.
        girth: factor on the thickness of limbs and trunk, about 1.
        skin: colour.
        hair: colour.
        shirt: colour.
        stripe: colour of the stripes; equal to `shirt` for none.
        trousers: colour.
        shoes: colour.
        has_long_hair: whether the hair reaches the neck.
    """

    height: float
    girth: float
    skin: tuple
    hair: tuple
    shirt: tuple
    stripe: tuple
    trousers: tuple
    shoes: tuple
    has_long_hair: bool

    @property
    def leg(self) -> float:
        """Length of a stretched leg in metres."""
        return 0.49 * self.height


class Canvas:
    """An image to draw on in metres: x to the right, y up from the floor.

    Args:
        image: uint8 `(height, width, 3)`, RGB, drawn on in place.
        view: float `(3, 3)`, homography from metres to pixels.
    """

    def __init__(self, image: np.ndarray, view: np.ndarray):
        self.image = image
        self._view = view

    def _pixels(self, points):
        points = np.asarray(points, np.float64).reshape(1, -1, 2)
        pixels = cv2.perspectiveTransform(points, self._view)
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def polygon(self, points, color, edge: float = 0.75):
        """Fills a polygon; its outline is `edge` times as bright (1: no outline)."""
        pixels = self._pixels(points)
        cv2.fillPoly(self.image, pixels, _drawn(color), cv2.LINE_AA, _SHIFT)
        if edge != 1:
            dark = _drawn(shade(color, edge))
            cv2.polylines(self.image, pixels, True, dark, 2, cv2.LINE_AA, _SHIFT)

    def box(self, left, bottom, right, top, color, edge: float = 0.75):
        """Fills an axis-aligned rectangle."""
        corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
        self.polygon(corners, color, edge)

    def ellipse(self, center, radii, color, edge: float = 0.75):
        """Fills an axis-aligned ellipse; one radius makes a disc."""
        self.polygon(center + _CIRCLE * radii, color, edge)

    def limb(self, start, end, widths, color):
        """Fills a limb from one round end to the other; widths are diameters."""
        start, end = np.asarray(start), np.asarray(end)
        along = end - start
        turn = np.arctan2(along[1], along[0])
        angles = _HALF_TURN + turn
        arc = np.stack([np.cos(angles), np.sin(angles)], 1)
        ends = [start - arc * widths[0] / 2, end + arc * widths[1] / 2]
        self.polygon(np.concatenate(ends), color)


def shade(color, factor: float) -> tuple:
    """Scales the brightness of a colour."""
    return tuple(min(255.0, channel * factor) for channel in color)


def pale(color, share: float) -> tuple:
    """Mixes a colour with a share, in [0, 1], of light grey."""
    return tuple((1 - share) * channel + share * 235 for channel in color)


def person(canvas, body, *, hip, lean, ankles, hands, between=None):
    """Draws a person from the side, facing right.

    Args:
        canvas: the canvas.
        body: the person's proportions and colours.
        hip: position of the hip in metres.
        lean: forward angle of the trunk in radians.
        ankles: positions of both ankles, the far one first.
        hands: positions of both hands, the far one first; an arm stretches towards a
            position out of reach.
        between: function that draws what is in front of the trunk and behind the near
            arm.
    """
    h, girth = body.height, body.girth
    hip = np.asarray(hip, float)
    axis = np.array([np.sin(lean), np.cos(lean)])
    shoulder = hip + 0.29 * h * axis
    head = shoulder + 0.125 * h * (axis + (0.12, 0.12)) / np.hypot(*(axis + 0.12))
    _arm(canvas, body, shoulder, hands[0], 0.8)
    _leg(canvas, body, hip, ankles[0], 0.8)
    canvas.limb(shoulder, head, (0.06 * h, 0.055 * h), shade(body.skin, 0.9))
    canvas.limb(hip, shoulder, (0.115 * h * girth, 0.12 * h * girth), body.shirt)
    if body.stripe != body.shirt:
        across = np.array([axis[1], -axis[0]]) * 0.05 * h * girth
        for share in (0.15, 0.45, 0.75):
            middle = hip + share * 0.29 * h * axis
            ends = middle - across, middle + across
            canvas.limb(*ends, (0.022 * h, 0.022 * h), body.stripe)
    _head(canvas, body, head, lean)
    _leg(canvas, body, hip, ankles[1], 1.0)
    if between:
        between()
    _arm(canvas, body, shoulder, hands[1], 1.0)


def steps(body, hip_x: float, walked: float) -> list:
    """Positions of the ankles after walking a distance in metres, far one first."""
    length = 0.16 * body.height
    angle = walked / length
    return [
        (
            hip_x + length * np.sin(angle + turn),
            0.05 + 0.05 * body.height * max(0.0, np.cos(angle + turn)),
        )
        for turn in (0.0, np.pi)
    ]


def _head(canvas, body, center, lean):
    radius = 0.068 * body.height
    tilt = 0.3 * lean
    back = np.array([-np.cos(tilt), np.sin(tilt)])
    front = -back
    if body.has_long_hair:
        end = center + radius * (0.75 * back + (0, -1.1))
        canvas.limb(
            center + 0.4 * radius * back, end, (1.5 * radius, radius), body.hair
        )
    canvas.ellipse(center + (0.3 * back + (0, 0.25)) * radius, radius, body.hair)
    canvas.ellipse(
        center + (0.15 * front - (0, 0.1)) * radius, 0.88 * radius, body.skin
    )
    canvas.ellipse(center + (1.0 * front - (0, 0.1)) * radius, 0.2 * radius, body.skin)
    eye = center + (0.6 * front + (0, 0.1)) * radius
    canvas.ellipse(eye, 0.12 * radius, (30, 25, 25), edge=1)


def _leg(canvas, body, hip, ankle, light):
    h, girth = body.height, body.girth
    ankle = np.asarray(ankle, float)
    knee, ankle = _bend(hip, ankle, 0.245 * h, 1)
    cloth = shade(body.trousers, light)
    shoe = shade(body.shoes, light)
    toe = ankle + (0.085 * h, -0.015)
    canvas.limb(ankle + (-0.01, -0.01), toe, (0.05 * h, 0.035 * h), shoe)
    canvas.limb(knee, ankle, (0.07 * h * girth, 0.05 * h), cloth)
    canvas.limb(hip, knee, (0.095 * h * girth, 0.072 * h * girth), cloth)


def _arm(canvas, body, shoulder, hand, light):
    h, girth = body.height, body.girth
    elbow, hand = _bend(shoulder, np.asarray(hand, float), 0.17 * h, -1)
    cloth, skin = shade(body.shirt, 0.92 * light), shade(body.skin, light)
    canvas.limb(elbow, hand, (0.045 * h * girth, 0.036 * h), skin)
    canvas.ellipse(hand, 0.024 * h, skin)
    canvas.limb(shoulder, elbow, (0.06 * h * girth, 0.05 * h * girth), cloth)


def _bend(start, end, length, side):
    """Joint between two bones of equal length, and the end that they reach."""
    along = end - start
    distance = max(float(np.hypot(*along)), 1e-6)
    reach = min(distance, 1.998 * length)
    along = along / distance
    across = side * np.array([-along[1], along[0]])
    out = np.sqrt(length**2 - (reach / 2) ** 2)
    return start + along * reach / 2 + across * out, start + along * reach


def _drawn(color):
    return tuple(round(min(255.0, channel)) for channel in color)
