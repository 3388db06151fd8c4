"""The frames of a video as a classifier takes them."""

import math
from collections.abc import Callable, Iterable

import numpy as np
from absl import logging

from ..data import clip_frames, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..video.damage import Damage
from ..video.reader import FRAME_RATE

# Ten seconds, a clip of Kinetics.
MAX_FRAMES = 250


def read_frames(
    source,
    *,
    start: float = 0.0,
    max_frames: int | None = MAX_FRAMES,
    recipe: ClipRecipe = ClipRecipe(),  # noqa: B008 It is immutable.
    on_damage: Callable[[Damage], None] | None = None,
    wrap: Callable[[Iterable], Iterable] = iter,
) -> list[np.ndarray]:
    """Reads the frames of a video for a classifier.

    Args:
        source: as of `read_video`.
        start: second of the video to begin at.
        max_frames: frames to use, at 25 per second; None uses all. A warning tells when
            the video is longer.
        recipe: short side, streams and limits.
        on_damage: gets the counts of damaged and missing frames, if there are any.
        wrap: wraps the iterator of decoded frames, for a progress bar.

    Returns:
        uint8 `(height, width, 3)` each, resized to the recipe's short side.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read as a video, or exceeds a limit.
    """
    # One more than wanted tells whether something was left out.
    limit = None if max_frames is None else max_frames + 1
    decoded = clip_frames.iter_frames(
        source, recipe, on_damage=on_damage, start=start, max_frames=limit
    )
    frames = list(preprocessing.resize(wrap(decoded), recipe.short_side))
    if len(frames) > (max_frames or math.inf):
        frames = frames[:max_frames]
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            source, max_frames / FRAME_RATE, start,
        )  # fmt: skip
    return frames
