"""The frames of a video as a classifier takes them."""

import math
from collections.abc import Callable, Iterable

import numpy as np
from absl import logging

from ..data import preprocessing
from ..video.reader import FRAME_RATE, iter_video

# Ten seconds, a clip of Kinetics.
MAX_FRAMES = 250


def read_frames(
    source,
    *,
    start: float = 0.0,
    max_frames: int | None = MAX_FRAMES,
    wrap: Callable[[Iterable], Iterable] = iter,
) -> list[np.ndarray]:
    """Reads the frames of a video for a classifier.

    Args:
        source: as of `read_video`.
        start: second of the video to begin at.
        max_frames: frames to use, at 25 per second; None uses all. A warning tells when
            the video is longer.
        wrap: wraps the iterator of decoded frames, for a progress bar.

    Returns:
        uint8 `(height, width, 3)` each, with a short side of 256 pixels.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read as a video.
    """
    # One more than wanted tells whether something was left out.
    limit = None if max_frames is None else max_frames + 1
    decoded = iter_video(source, start=start, max_frames=limit)
    frames = list(preprocessing.resize(wrap(decoded)))
    if len(frames) > (max_frames or math.inf):
        frames = frames[:max_frames]
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            source, max_frames / FRAME_RATE, start,
        )  # fmt: skip
    return frames
