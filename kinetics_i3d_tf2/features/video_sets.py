"""Sets of videos that are compared with each other: files, or arrays in .npy files.

What the values mean is never guessed: they are uint8 in 0..255, or floating point in a
range that is named and then checked.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from absl import logging

from ..data import clip_frames, npy
from ..data.clip_recipe import ClipRecipe
from ..data.listings import video_folder
from ..data.read_options import ReadOptions
from ..models.architecture import MIN_FRAMES
from ..utils import files
from ..video.reader import limited
from .spans import Span

# Of floating-point values: least, greatest.
RANGES = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}


class Video(NamedTuple):
    """A video of a set: its name, and a function that reads its frames.

    `read()` gives `(frames, height, width, 3)` in 0..255, uint8 or float32. It raises
    OSError or ValueError when it cannot. `read(on_damage)` calls a function with the
    counts of damaged and missing frames, if there are any.
    """

    name: str
    read: Callable[..., np.ndarray]


def find(
    path: str | os.PathLike,
    *,
    num_frames: int | None = None,
    float_range: str | None = None,
    seed: int | None = None,
    reading: ReadOptions = ReadOptions(),  # noqa: B008 It is immutable.
) -> list[Video]:
    """Finds the videos of a set.

    Args:
        path: a folder with video files, folders of images, .npy files or all of them,
            searched in depth; or one such file. A .npy file holds videos `(number,
            frames, height, width, 3)`, or one without the first axis.
        num_frames: number of frames taken from each video, as they are stored whatever
            the rate; by default all.
        float_range: range of floating-point values, one of `RANGES`.
        seed: takes the frames from a random place in each video, which depends on the
            seed and the number of the video; None takes the first ones.
        reading: limits on single videos.

    Returns:
        The videos, in order of name.

    Raises:
        OSError: there is no such file or folder.
        ValueError: there are no videos, a .npy file is of something else, or
            `num_frames` is less than 9.
    """
    path = os.fspath(path)
    _check_num_frames(num_frames)
    if not files.exists(path):
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    paths = [path]
    if files.is_dir(path):
        paths = video_folder.video_files(path, (*video_folder.VIDEO_SUFFIXES, ".npy"))
    videos = []
    for file in paths:
        if file.lower().endswith(".npy"):
            videos += of_array(
                npy.read_array(file),
                name=file,
                num_frames=num_frames,
                float_range=float_range,
                seed=seed,
                first_number=len(videos),
            )
        else:
            span = Span(num_frames, seed, len(videos))
            videos.append(Video(file, _VideoFile(file, span, reading)))
    if not videos:
        raise ValueError(f"{path}: there are no videos or .npy files in it")
    return videos


def of_array(
    videos: np.ndarray,
    *,
    name: str = "array",
    num_frames: int | None = None,
    float_range: str | None = None,
    seed: int | None = None,
    first_number: int = 0,
) -> list[Video]:
    """The videos of an array.

    Args:
        videos: uint8 or floating point `(number, frames, height, width, 3)`, or one
            video without the first axis.
        name: name in error messages.
        num_frames: as of `find`, and so are `float_range` and `seed`.
        float_range: range of floating-point values.
        seed: seed of random places.
        first_number: number of the first of these videos in the set.

    Returns:
        The videos.

    Raises:
        ValueError: the shape or dtype is another, or all floating-point values are in
            another range. Each video's values are checked when it is read.
    """
    _check_num_frames(num_frames)
    if videos.ndim == 4:
        videos = videos[None]
    if videos.ndim != 5 or videos.shape[-1] != 3 or 0 in videos.shape:
        raise ValueError(
            f"{name}: expected videos (number, frames, height, width, 3). Received: "
            f"shape {videos.shape}"
        )
    is_float = np.issubdtype(videos.dtype, np.floating)
    if not is_float and videos.dtype != np.uint8:
        raise ValueError(
            f"{name}: expected uint8 in 0..255, or floating point. Received: "
            f"{videos.dtype}"
        )
    if is_float and float_range not in RANGES:
        raise ValueError(
            f"{name}: holds {videos.dtype}; say the range of its values, one of "
            f"{', '.join(RANGES)} (--float_range). Received: {float_range}"
        )
    low, high = RANGES[float_range] if is_float else RANGES["0..255"]
    if is_float:
        _check_use(videos, low, high, name)
    elif not any(video.max() > 1 for video in videos) and videos.any():
        logging.warning(
            "%s: all values are 0 or 1, which is black in 0..255. If they were in "
            "[0, 1] before a cast to uint8, save floating point and set "
            "--float_range=0..1",
            name,
        )
    return [
        Video(
            f"{name}[{number}]",
            _ArrayVideo(
                video,
                f"{name}[{number}]",
                Span(num_frames, seed, first_number + number),
                low,
                high,
            ),
        )
        for number, video in enumerate(videos)
    ]


class _VideoFile(NamedTuple):
    path: str
    span: Span
    reading: ReadOptions

    def __call__(self, on_damage=None):
        frames = clip_frames.iter_frames(
            self.path,
            ClipRecipe(reading=self.reading),
            holds_all=False,
            on_damage=on_damage,
            fps=None,
            max_frames=None if self.span.is_random else self.span.num_frames,
        )
        if not self.span.is_random:  # They are held at the video's own size.
            frames = limited(frames, self.path, self.reading.max_clip_bytes)
        return self.span.of_iterator(frames, self.path)


class _ArrayVideo(NamedTuple):
    video: np.ndarray
    name: str
    span: Span
    low: float
    high: float

    def __call__(self, on_damage=None):
        del on_damage  # Arrays are whole.
        video = self.span.of_array(self.video, self.name)
        if video.dtype == np.uint8:
            return video
        video = video.astype(np.float32)
        least, most = video.min(), video.max()
        slack = 1e-3 * (self.high - self.low)  # For rounding.
        if not (self.low - slack <= least and most <= self.high + slack):
            raise RangeError(
                f"{self.name}: expected values in [{self.low:g}, {self.high:g}]. "
                f"Received: [{least:g}, {most:g}]"
            )
        return (video - self.low) * np.float32(255 / (self.high - self.low))


class RangeError(ValueError):
    """Values are not in the given range."""


def _check_num_frames(num_frames):
    if num_frames is not None and num_frames < MIN_FRAMES:
        raise ValueError(
            f"num_frames must be at least {MIN_FRAMES}, as the model takes no shorter "
            f"clips. Received: {num_frames}"
        )


def _check_use(videos, low, high, name):
    """Rejects floating point of which nothing is outside [0, 1] but should be.

    It is in [0, 1], and 0..255 or -1..1 was given. Black is 0 in 0..255 too, and white
    is 1 in -1..1 too.
    """
    if high <= 1 and low == 0:
        return
    if any(video.max() > 1 if high > 1 else video.min() < 0 for video in videos):
        return
    is_uniform = not videos.any() if high > 1 else (videos == 1).all()
    if not is_uniform:
        raise RangeError(
            f"{name}: all values are in [0, 1], not in [{low:g}, {high:g}]; set "
            "--float_range=0..1"
        )
