"""Frames and flow as JPEG and PNG images."""

import dataclasses
import struct
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from ...video import optical_flow
from ...video.decoding import MAX_PIXELS

_FORMATS = {"jpeg": ".jpg", "png": ".png"}
# Fast to write, and faster to read than both stronger and weaker compression.
_PNG_COMPRESSION = 3


@dataclasses.dataclass(frozen=True)
class Coding:
    """Formats of RGB and flow images.

    Attributes:
        rgb_format: "jpeg" or, lossless, "png".
        rgb_quality: JPEG quality of RGB frames, 1 to 100.
        flow_format: "png", which keeps the 8-bit code, or "jpeg" as MediaPipe.
        flow_quality: JPEG quality of flow; MediaPipe's is 100.

    Raises:
        ValueError: a format or quality is none of these.
    """

    rgb_format: str = "jpeg"
    rgb_quality: int = 95
    flow_format: str = "png"
    flow_quality: int = 100

    def __post_init__(self):
        for name in (self.rgb_format, self.flow_format):
            if name not in _FORMATS:
                raise ValueError(f"Images are coded as jpeg or png. Received: {name!r}")
        for quality in (self.rgb_quality, self.flow_quality):
            if not 1 <= quality <= 100:
                raise ValueError(f"JPEG quality is 1 to 100. Received: {quality}")


def encode_rgb(frames: Iterable[np.ndarray], coding: Coding) -> list[bytes]:
    """Codes RGB frames one by one.

    Args:
        frames: uint8 `(height, width, 3)` each.
        coding: the format.

    Returns:
        The coded images.
    """
    return [_encode(f, coding.rgb_format, coding.rgb_quality) for f in frames]


def encode_flow(displacements: Iterable[np.ndarray], coding: Coding) -> list[bytes]:
    """Codes optical flow as 8-bit images (`optical_flow.encode_flow`).

    Args:
        displacements: float `(height, width, 2)` in pixels, each.
        coding: the format.

    Returns:
        The coded images.
    """
    return [
        _encode(optical_flow.encode_flow(d), coding.flow_format, coding.flow_quality)
        for d in displacements
    ]


def decode_images(coded: Sequence[bytes], channels: int = 3) -> np.ndarray:
    """Decodes RGB frames, or flow as its 8-bit code (see `optical_flow.decode_flow`).

    Args:
        coded: JPEG or PNG images of one size, at least one.
        channels: 3 for RGB; 2 for flow, which is in red and green.

    Returns:
        uint8 `(images, height, width, channels)`.

    Raises:
        ValueError: an image is damaged, or differs in size from the first.
    """
    images = None
    for number, content in enumerate(coded):
        image = _decode(content)
        if image is None:
            raise ValueError(f"Image {number} of the record cannot be decoded")
        if images is None:
            images = np.empty((len(coded), *image.shape[:2], channels), np.uint8)
        if image.shape[:2] != images.shape[1:3]:
            raise ValueError(
                f"Image {number} of the record is {image.shape[1]}x{image.shape[0]}, "
                f"the first is {images.shape[2]}x{images.shape[1]}"
            )
        # OpenCV's order is blue, green, red; far faster than slices or mixChannels.
        if channels == 3:
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=images[number])
        else:
            cv2.merge(cv2.split(image)[: -1 - channels : -1], dst=images[number])
    return images


def image_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG or PNG image, from its header.

    Args:
        content: the coded image.

    Returns:
        The size, or None if the header is damaged or of another format.

    Source: PNG, section 11.2.2 (IHDR); JPEG, ITU-T T.81, B.2.2 (frame header).
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        size = struct.unpack_from(">II", content, 16) if len(content) >= 24 else (0, 0)
        return size if min(size) else None
    place = 2
    while content.startswith(b"\xff\xd8") and place + 9 <= len(content):
        mark, code, length = struct.unpack_from(">BBH", content, place)
        if mark != 0xFF or length < 2:
            return None
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, place + 5)
            return (width, height) if width and height else None
        place += 2 + length
    return None


def _decode(content):
    """The image in OpenCV's order of channels, or None if it cannot be decoded."""
    size = image_size(content)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        return None
    buffer = np.frombuffer(content, np.uint8)
    try:
        return cv2.imdecode(buffer, cv2.IMREAD_COLOR) if len(buffer) else None
    except cv2.error:  # A damaged size is too large for it.
        return None


def _encode(image, image_format, quality):
    options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
    if image_format == "jpeg":
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(_FORMATS[image_format], image, options)[1].tobytes()
