"""Arrays of frames that come one by one."""

from collections.abc import Iterable

import numpy as np

_GROWTH = 1 << 23  # bytes


def stack(images: Iterable[np.ndarray]) -> np.ndarray:
    """`np.stack` of frames that come one by one, in the memory of the result.

    A list of frames and the array of them would take twice as much.

    Args:
        images: arrays of one shape and dtype.

    Returns:
        The array; empty, of shape `(0,)`, without images.
    """
    frames, count = np.empty(0, np.uint8), 0
    for image in images:
        if count == 0:
            frames = np.empty((0, *image.shape), image.dtype)
        if count == len(frames):
            more = max(1, _GROWTH // image.nbytes)
            frames.resize((count + more, *image.shape), refcheck=False)
        frames[count] = image
        count += 1
    frames.resize((count, *frames.shape[1:]), refcheck=False)
    return frames
