"""The frames of a video as a classifier and its models take them."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from absl import logging

from ..arguments import suggest_arguments
from ..data import clip_frames, preprocessing
from ..data.clip_recipe import ClipRecipe
from ..video.damage import Damage
from ..video.ffmpeg import can_rewind
from ..video.reader import FRAME_RATE

# Ten seconds, a clip of Kinetics.
MAX_FRAMES = 250
_EXPECTED = "uint8 RGB (frames, height, width, 3) in 0..255"
# Frames up to which a clip goes through a model in one pass; longer ones in pieces.
MAX_WHOLE = 320


class LongVideo:
    """The frames of a video that is too long to hold; iterate to read them.

    Its length is what the file's header announces, and may be wrong by a few.

    Args:
        source: as of `read_video`; it can be read more than once.
        start: second to begin at.
        end: second to stop before; None is the end of the video.
        max_frames: frames to use, at 25 per second; None uses all.
        recipe: short side, streams and limits.
        on_damage: gets the counts of damaged and missing frames, if there are any.

    Attributes:
        announced: frames that the file announces between `start` and `end`.
    """

    def __init__(
        self,
        source,
        *,
        start: float = 0.0,
        end: float | None = None,
        max_frames: int | None = None,
        recipe: ClipRecipe = ClipRecipe(),  # noqa: B008 It is immutable.
        on_damage: Callable[[Damage], None] | None = None,
    ):
        self._source, self._recipe, self._on_damage = source, recipe, on_damage
        self._span = {"start": start, "end": end}
        self._max_frames = max_frames
        self.announced = clip_frames.num_frames(source, recipe, **self._span)

    def __len__(self):
        return min(self.announced, self._max_frames or self.announced)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Reads uint8 `(height, width, 3)` each, resized to the recipe's short side."""
        decoded = clip_frames.iter_frames(
            self._source,
            self._recipe,
            holds_all=False,
            on_damage=self._on_damage,
            max_frames=self._max_frames,
            **self._span,
        )
        return preprocessing.resize(decoded, self._recipe.short_side)


def find_long(source, *, max_frames: int | None, **options) -> LongVideo | None:
    """The frames of a video if they are too many to hold.

    Args:
        source: as of `LongVideo`, and so are the others.
        max_frames: frames to use, at 25 per second; None uses all.
        options: of `LongVideo`.

    Returns:
        The frames; None of at most `MAX_WHOLE`, and of a stream that cannot be read
        twice.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read as a video.
    """
    is_short = max_frames is not None and max_frames <= MAX_WHOLE
    if is_short or not can_rewind(source):
        return None
    video = LongVideo(source, max_frames=max_frames, **options)
    return video if len(video) > MAX_WHOLE else None


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
    check_frames(clips, 5, f"{_EXPECTED}, or a batch")
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


def is_several(source) -> bool:
    """Whether there are several videos, not one or the frames of one.

    Args:
        source: a video, its frames, a list of either, or a batch of frames.
    """
    if isinstance(source, np.ndarray):
        return source.ndim == 5
    return isinstance(source, list | tuple) and not all(
        isinstance(one, np.ndarray) and one.ndim == 3 for one in source
    )


def read_frames(
    source,
    *,
    start: float = 0.0,
    max_frames: int | None = MAX_FRAMES,
    recipe: ClipRecipe = ClipRecipe(),  # noqa: B008 It is immutable.
    on_damage: Callable[[Damage], None] | None = None,
    wrap: Callable[[Iterable], Iterable] = iter,
) -> np.ndarray | list[np.ndarray] | LongVideo:
    """Reads the frames of a video for a classifier.

    Args:
        source: as of `read_video`; or its frames, as an array or a list, which are only
            checked.
        start: second of the video to begin at.
        max_frames: frames to use, at 25 per second; None uses all. A warning tells when
            the video is longer.
        recipe: short side, streams and limits.
        on_damage: gets the counts of damaged and missing frames, if there are any.
        wrap: wraps the iterator of decoded frames, for a progress bar.

    Returns:
        uint8 `(height, width, 3)` each, resized to the recipe's short side. More than
        `MAX_WHOLE` frames are a `LongVideo`, which reads them when they are needed;
        those of a stream that cannot be read twice are held in memory.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read as a video, or exceeds a limit; or the frames have
            another dtype or shape.
    """
    if isinstance(source, np.ndarray | list | tuple):
        frames = np.asarray(source)
        check_frames(frames, 4, _EXPECTED)
        return frames
    options = {"start": start, "on_damage": on_damage}
    frames = find_long(source, max_frames=max_frames, recipe=recipe, **options)
    if frames is not None:
        is_cut = frames.announced > len(frames)
    else:
        # One more than wanted tells whether something was left out.
        limit = None if max_frames is None else max_frames + 1
        decoded = clip_frames.iter_frames(source, recipe, max_frames=limit, **options)
        frames = [*preprocessing.resize(wrap(decoded), recipe.short_side)]
        is_cut = max_frames is not None and len(frames) > max_frames
        frames = frames[:max_frames]
    if is_cut:
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            source, max_frames / FRAME_RATE, start,
        )  # fmt: skip
    return frames
