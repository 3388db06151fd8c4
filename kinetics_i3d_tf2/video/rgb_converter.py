"""Decoded frames as people see them: RGB, upright, of square pixels."""

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter

from .decoding import TimedFrame

# Pixels wider or narrower than this are a damaged header's.
_MAX_ASPECT = 8.0


class RgbConverter:
    """Makes RGB images of frames, all of the first frame's size."""

    def __init__(self):
        # One for all frames: setting it up takes longer than converting a small frame.
        self._reformatter = VideoReformatter()
        self._size = None
        self._matrix = None

    def __call__(self, frame: TimedFrame) -> np.ndarray:
        """Converts a frame.

        Args:
            frame: as decoded.

        Returns:
            Read-only uint8 `(height, width, 3)` in 0..255.
        """
        image = frame.image
        if self._size is None:
            self._size = _square(image.width, image.height, frame.pixel_aspect)
            # Of the first frame alone: a frame whose side data were looked at is in a
            # reference cycle, and stays in memory until the garbage collector runs.
            self._matrix = image.side_data.get(Type.DISPLAYMATRIX)
            if self._matrix is not None:
                self._matrix = np.frombuffer(self._matrix, np.int32).copy()
        rgb = self._reformatter.reformat(image, *self._size, format="rgb24")
        pixels = _upright(rgb.to_ndarray(), self._matrix)
        pixels.flags.writeable = False
        return pixels


def _square(width, height, pixel_aspect):
    """Size of the same picture in square pixels; the side that is too short grows."""
    if not 1 / _MAX_ASPECT <= pixel_aspect <= _MAX_ASPECT:
        return width, height
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def _upright(pixels, matrix):
    """Turns and mirrors an image by FFmpeg's display matrix.

    The matrix maps (x, y) to (a x + c y, b x + d y), x to the right and y down. Angles
    between quarter turns are rounded to one.
    """
    if matrix is None:
        return pixels
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels = pixels.swapaxes(0, 1)
        a, d = c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    if d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
