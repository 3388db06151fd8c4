"""Frames with motion that is known."""

import cv2
import numpy as np


def frames(count):
    """A texture that moves by a pixel a frame, uint8 `(count, 224, 224, 3)`."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (300, 300, 3)), (0, 0), 3)
    texture = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.stack(
        [texture[i % 70 : i % 70 + 224, i % 50 : i % 50 + 224] for i in range(count)]
    )
