"""The demonstration's four actions, each drawn at a phase from 0 to 1."""

import dataclasses

import numpy as np

from .drawing import Body, Canvas, pale, person, shade, steps


@dataclasses.dataclass(frozen=True)
class Look:
    """Random properties of a clip, besides its room, camera and noise.

    Attributes:
        body: the person who acts.
        colors: five colours of things, RGB of 0 to 255.
        shares: eight numbers in [0, 1], for sizes and kinds of things.
    """

    body: Body
    colors: tuple
    shares: tuple


def door(canvas: Canvas, look: Look, phase: float) -> None:
    """Draws a door: closed at phase 0, open at 1."""
    body, share = look.body, look.shares
    width, top = 0.8 + 0.15 * share[0], 1.95
    hinge = 0.45
    angle = np.radians(4 + (85 + 15 * share[1]) * phase)
    depth = np.sin(angle) * width * (1 if share[2] < 0.5 else -1)
    edge = hinge - width * np.cos(angle)
    # Perspective of a camera 4 m away at a height of 1.2 m.
    near = 1 / (1 - depth / 4)

    def place(across, height):
        larger = 1 + (near - 1) * across
        x = hinge + (edge - hinge) * across
        return x * larger, 1.2 + (height - 1.2) * larger

    # Paler than the person, who must stand out in front of it.
    trim, beyond, panel, inlay, _ = (pale(color, 0.5) for color in look.colors)
    canvas.box(hinge - width - 0.09, 0, hinge + 0.09, top + 0.09, trim)
    canvas.box(hinge - width, 0, hinge, top, beyond)
    floor = shade(beyond, 0.7)
    canvas.box(hinge - width, 0, hinge, 0.25 + 0.4 * share[3], floor, edge=1)

    def quad(left, right, low, high, color):
        corners = (left, low), (right, low), (right, high), (left, high)
        canvas.polygon([place(*corner) for corner in corners], color)

    lit = shade(panel, 1 - 0.25 * np.sin(angle))
    quad(0, 1, 0, top, lit)
    for low, high in ((0.2, 0.85), (1.05, 1.75)):
        quad(0.2, 0.8, low, high, shade(inlay, 1 - 0.25 * np.sin(angle)))
    handle = np.array(place(0.9, 0.98))
    start, end = hinge - 0.9 * width - 0.38, hinge - 0.45
    hip_x = start + (end - start) * phase
    lean = 0.1 + 0.15 * share[4]
    person(
        canvas,
        body,
        hip=(hip_x, 0.97 * body.leg),
        lean=lean,
        ankles=steps(body, hip_x, hip_x - start + share[5]),
        hands=[(hip_x + 0.12, 0.85 * body.leg), handle],
        between=lambda: canvas.ellipse(handle, 0.035, look.colors[4]),
    )


def chair(canvas: Canvas, look: Look, phase: float) -> None:
    """Draws a person at a chair: standing at phase 0, sitting at 1."""
    body, share = look.body, look.shares
    seat = 0.42 + 0.1 * share[0]
    front, back = 0.0, -0.45
    wood, cushion = look.colors[:2]
    canvas.box(back + 0.1, 0, back + 0.14, seat, shade(wood, 0.7))
    canvas.box(front - 0.12, 0, front - 0.08, seat, shade(wood, 0.7))
    canvas.box(back, 0, back + 0.05, seat + 0.35 + 0.25 * share[1], wood)
    canvas.box(front - 0.05, 0, front, seat, wood)
    canvas.box(back, seat - 0.06, front, seat, cushion)
    standing = np.array([0.1, 0.985 * body.leg])
    sitting = np.array([back + 0.17, seat + 0.07])
    hip = standing + (sitting - standing) * phase
    lean = 0.03 + (0.35 + 0.4 * share[2]) * np.sin(np.pi * phase)
    hanging = hip + (0.12 + 0.3 * np.sin(lean), 0.0)
    resting = hip + (0.36, 0.14)
    hand = hanging + (resting - hanging) * phase
    foot = 0.08 + 0.08 * share[3]
    person(
        canvas,
        body,
        hip=hip,
        lean=lean,
        ankles=[(foot + 0.06, 0.05), (foot, 0.05)],
        hands=[hand + (0.05, 0.02), hand],
    )


def pickup(canvas: Canvas, look: Look, phase: float) -> None:
    """Draws a thing: on the floor or a table at phase 0, held up at 1."""
    body, share = look.body, look.shares
    table = 0.0 if share[0] < 0.4 else 0.2 + 0.4 * share[1]
    x = 0.42
    radius = 0.1 + 0.06 * share[2]
    wood, thing, band = look.colors[:3]
    if table:
        for leg in (x - 0.28, x + 0.28):
            canvas.box(leg - 0.03, 0, leg + 0.03, table, shade(wood, 0.75))
        canvas.box(x - 0.36, table - 0.06, x + 0.36, table, wood)
    rest = np.array([x, table + radius])
    held = np.array([0.3, (0.62 + 0.08 * share[3]) * body.height])
    center = rest + (held - rest) * phase
    low = np.clip((1.1 - center[1]) / 1.1, 0, 1)

    def draw_thing():
        if share[4] < 0.35:
            canvas.ellipse(center, radius, thing)
            canvas.ellipse(center, radius * 0.5, band)
        elif share[4] < 0.7:
            left, bottom = center - radius
            right, top = center + radius
            canvas.box(left, bottom, right, top, thing)
            canvas.box(center[0] - 0.03, bottom, center[0] + 0.03, top, band)
        else:
            canvas.box(
                *(center - (0.6 * radius, radius)),
                *(center + (0.6 * radius, 0.5 * radius)),
                thing,
            )
            canvas.box(
                *(center + (-0.25 * radius, 0.5 * radius)),
                *(center + (0.25 * radius, 1.2 * radius)),
                band,
            )

    squat = 0.28 + 0.2 * share[5]
    person(
        canvas,
        body,
        hip=(-0.12 - 0.22 * low, body.leg * (0.985 - squat * low)),
        lean=0.03 + (1.25 - 0.9 * (squat - 0.28)) * low,
        ankles=[(0.0, 0.05), (-0.1, 0.05)],
        hands=[center + (0, 0.02), center - (0.5 * radius, 0.02)],
        between=draw_thing,
    )


def push(canvas: Canvas, look: Look, phase: float) -> None:
    """Draws a load: on the left at phase 0, pushed to the right at 1."""
    body, share = look.body, look.shares
    width, height = 0.4 + 0.15 * share[0], 0.55 + 0.55 * share[1]
    way = 0.62 + 0.13 * share[2]
    left = 0.1 + way * (phase - 0.5)
    wheel = 0.07 if share[3] < 0.5 else 0.0
    load, slat, rubber = look.colors[:3]
    canvas.box(left, wheel, left + width, wheel + height, load)
    slats = 2 + int(3 * share[4])
    for number in range(slats):
        bottom = wheel + height * (number + 0.2) / slats
        top = wheel + height * (number + 0.8) / slats
        canvas.box(left + 0.05, bottom, left + width - 0.05, top, slat)
    if wheel:
        for x in (left + 0.1, left + width - 0.1):
            canvas.ellipse((x, wheel), wheel, shade(rubber, 0.5))
    lean = 0.2 + 0.3 * share[5]
    hip_x = left - 0.32 - 0.29 * body.height * np.sin(lean)
    grip = wheel + min(height - 0.05, 0.62 * body.height)
    person(
        canvas,
        body,
        hip=(hip_x, 0.96 * body.leg),
        lean=lean,
        ankles=steps(body, hip_x, way * phase + share[6]),
        hands=[(left + 0.02, grip + 0.04), (left, grip)],
    )
