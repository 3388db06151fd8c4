"""Frames, optical flow and maps as pictures, and pictures as text for pages."""

import base64

import cv2
import numpy as np


def flow_colors(flow: np.ndarray, largest: float) -> np.ndarray:
    """Optical flow as colours: the hue is its direction, white is no motion.

    Args:
        flow: float `(..., 2)`, (dx, dy), right and down.
        largest: length that has the full colour; longer ones have it too.

    Returns:
        uint8 RGB `(..., 3)`: motion to the right is red, down yellow-green, to the left
        cyan, up violet.
    """
    dx, dy = flow[..., 0].astype(np.float32), flow[..., 1].astype(np.float32)
    hue = np.degrees(np.arctan2(dy, dx)) % 360
    share = np.hypot(dx, dy) / max(largest, 1e-6)
    hsv = np.stack([hue, share.clip(0, 1), np.ones_like(hue)], -1)
    rgb = cv2.cvtColor(hsv.reshape(-1, 1, 3), cv2.COLOR_HSV2RGB)
    return (rgb.reshape(hsv.shape) * 255).round().astype(np.uint8)


def heat(shares: np.ndarray, size: int) -> np.ndarray:
    """A map as a layer of colour over a picture: clear at 0, red at 1.

    Args:
        shares: float `(height, width)` in [0, 1].
        size: height and width of the result.

    Returns:
        uint8 RGBA `(size, size, 4)`: yellow to red, more opaque the larger the share.
    """
    shares = shares.astype(np.float32)
    large = cv2.resize(shares, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    layer = np.zeros((size, size, 4), np.uint8)
    layer[..., 0] = 255
    layer[..., 1] = (220 * (1 - large)).round()
    layer[..., 3] = (190 * large).round()
    return layer


def jpeg_uri(image: np.ndarray) -> str:
    """An RGB picture, uint8 `(height, width, 3)`, as the text of a JPEG's address."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return _uri("jpeg", data)


def png_uri(image: np.ndarray) -> str:
    """An RGBA picture, uint8 `(height, width, 4)`, as the text of a PNG's address."""
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))
    return _uri("png", data)


def _uri(kind, data):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
