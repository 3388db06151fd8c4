"""The frames of a video as a classifier and its models take them."""

import math
from collections.abc import Callable, Iterable

import numpy as np
from absl import logging

from ..arguments import suggest_arguments
from ..data import clip_frames, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..video.damage import Damage
from ..video.reader import FRAME_RATE

# Ten seconds, a clip of Kinetics.
MAX_FRAMES = 250


@suggest_arguments
def preprocess_input(frames, *, stream: str = "rgb") -> np.ndarray:
    """Prepares frames for a model, as the release did.

    Short side of 256 pixels, the central 224x224, values in [-1, 1]; with "flow", TV-L1
    optical flow in between. Fewer than nine frames are repeated.

    Args:
        frames: uint8 RGB in 0..255, 25 per second, as `read_video` returns them: one
            clip `(frames, height, width, 3)`, or a batch of clips with an axis more.
        stream: "rgb" or "flow", the stream of the model.

    Returns:
        A batch, float32 `(batch, frames, 224, 224, channels)`, also of one clip.

    Raises:
        ValueError: the frames have another dtype or shape, or there is only one and
            the stream is "flow".

    Examples:
        >>> frames = read_video("clip.mp4")
        >>> logits = InceptionI3d(weights="rgb_imagenet").predict(
        ...     preprocess_input(frames)
        ... )
    """
    recipe = ClipRecipe(stream)
    if stream == "joint":
        raise ValueError('stream must be "rgb" or "flow"; prepare each for its model')
    clips = np.asarray(frames)
    if clips.ndim == 4:
        clips = clips[None]
    check_frames(clips, 5, "uint8 RGB (frames, height, width, 3) in 0..255, or a batch")
    return np.stack([preprocessing.model_input(c, recipe)[stream] for c in clips])


def check_frames(frames: np.ndarray, axes: int, expected: str) -> None:
    """Checks that an array has RGB frames.

    Args:
        frames: the array.
        axes: number of its axes.
        expected: the shape, for the error.

    Raises:
        ValueError: it has another dtype or shape, or no frame.
    """
    if (
        frames.dtype != np.uint8
        or frames.ndim != axes
        or frames.shape[-1] != 3
        or not frames.size
    ):
        raise ValueError(
            f"frames must be {expected}, as read_video returns them. Received: "
            f"{frames.dtype} {frames.shape}"
        )


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
