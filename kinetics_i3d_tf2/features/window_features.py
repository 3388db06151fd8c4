"""Features of videos: what a model computes of windows of their frames."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data import prefetch
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.read_options import ReadOptions
from ..data.records.tfrecord import Record
from ..inference.frames import MAX_WHOLE
from ..inference.streaming.pieces import HEADS
from ..inference.videos import End, run_windows
from ..inference.windows import Window, Windows
from ..models.architecture import MIN_FRAMES
from ..models.i3d import InceptionI3d
from ..streams import CHANNELS
from ..utils.errors import problem_of
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from .extractor import ENDPOINT, Extractor, make_extractor


class Features(NamedTuple):
    """The features of a video.

    Attributes:
        values: float32 `(windows, ..., channels)`.
        times: float64 `(windows, 2)`: first and last second of each window in the
            video.
        damage: counts of damaged and missing frames, if there are any.
    """

    values: np.ndarray
    times: np.ndarray
    damage: Damage | None = None


@suggest_arguments
def extract_features(
    source: str | os.PathLike | np.ndarray,
    models: InceptionI3d | dict[str, InceptionI3d],
    *,
    windows: Windows = Windows(),  # noqa: B008 It is immutable.
    endpoint: str = ENDPOINT,
    pool: str = "both",
    fps: float = FRAME_RATE,
    batch_size: int = 4,
) -> Features:
    """Extracts the features of one video.

    Args:
        source: a video file, or a folder of images, `fps` a second; or frames, uint8
            `(frames, height, width, 3)` in 0..255, `fps` a second.
        models: one model, or by stream: "rgb", "flow" or both.
        windows: which frames are seen together.
        endpoint: one of `InceptionI3d.VALID_ENDPOINTS`.
        pool: over what it is averaged: "space", "time", "both" or "none".
        fps: frames a second that are taken; the release's 25.
        batch_size: windows that go through the models at once.

    Returns:
        The features. Of n frames there is the flow of n - 1, and with a Flow stream as
        many frames are seen.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read, gives no window, or an argument is out of range.

    Examples:
        >>> model = i3d.load_model(i3d.fetch("rgb_imagenet"))
        >>> i3d.extract_features("clip.mp4", model, windows=Windows(64, 8)).values.shape
        (25, 1024)
    """
    if not isinstance(models, dict):
        channels = {count: stream for stream, count in CHANNELS.items()}
        models = {channels[models.num_channels]: models}
    check_windows(windows, endpoint)
    extract = make_extractor(models, endpoint=endpoint, pool=pool)
    stream = "joint" if len(models) > 1 else next(iter(models))
    recipe = ClipRecipe(stream, reading=ReadOptions(image_fps=fps))
    found = []
    reader = FrameReader(recipe, fps=fps)
    if isinstance(source, np.ndarray):
        read, count = functools.partial(reader.prepare, source), len(source)
        count -= "flow" in models
    else:
        clip = Clip(os.fspath(source))
        read = functools.partial(reader.read, clip, on_damage=found.append)
        count = reader.count(clip) if windows.length == 0 else 0
    if windows.length == 0 and count > MAX_WHOLE:
        values, count = extract.whole(read, count)
        times = _times([Window(0, count, {})], fps)
        return Features(values[None], times, found[-1] if found else None)
    frames = read()
    # Of a window that is done, nothing is kept but its place.
    items = ((w._replace(clip=None), w.clip) for w in windows.cut(frames))
    with_outputs = list(prefetch.in_batches(extract, items, batch_size))
    if not with_outputs:
        raise ValueError(too_short(windows))
    cut, values = zip(*with_outputs, strict=True)
    damage = found[0] if found else None
    return Features(np.stack(values), _times(cut, fps), damage)


def extract_all(
    sources: Sequence[Clip | Record],
    extract: Extractor,
    windows: Windows,
    reader: FrameReader,
    *,
    batch_size: int = 4,
    threads: int = 1,
    on_window: Callable[[], object] = lambda: None,
) -> Iterator[Features | str]:
    """Extracts the features of many videos, in full batches of their windows.

    Args:
        sources: the videos or records.
        extract: as `make_extractor` makes it.
        windows: which frames are seen together.
        reader: how they are read.
        batch_size: windows that go through the models at once.
        threads: videos that are read at once.
        on_window: called after each window.

    Yields:
        For each source its features, or why it has none.

    Raises:
        MemoryError: a batch is too large.
    """
    items = run_windows(
        sources, extract, windows, reader, batch_size=batch_size, threads=threads
    )
    found, values, number = [], [], 0
    with contextlib.closing(items):
        for item, output in items:
            if isinstance(item, Window):
                found.append(item)
                values.append(output)
                on_window()
                continue
            source = sources[number]
            if item.long:
                item, found, values = _whole(extract, reader, source, item.long)
                on_window()
            if item.error or not found:
                yield item.error or too_short(windows)
            else:
                start = getattr(source, "start", None) or 0.0
                times = _times(found, reader.fps, start)
                yield Features(np.stack(values), times, item.damage)
            found, values, number = [], [], number + 1


def _whole(extract, reader, source, count):
    """How reading a long video ended, its window and its features."""
    damage = []
    read = functools.partial(reader.read, source, on_damage=damage.append)
    try:
        values, count = extract.whole(read, count)
    except Exception as caught:  # One bad video must not stop the others.
        return End(problem_of(caught, source.path)), [], []
    return End("", damage[-1] if damage else None), [Window(0, count, {})], [values]


def check_windows(windows: Windows, endpoint: str) -> None:
    """Refuses windows that are too short for an endpoint.

    Raises:
        ValueError: they are, or whole videos are not completed to what it needs.
    """
    least = windows.length or windows.least
    if endpoint in HEADS and least < MIN_FRAMES:
        raise ValueError(
            f"{endpoint} needs windows of at least {MIN_FRAMES} frames, and whole "
            f"videos completed to as many. Received: {windows}"
        )


def too_short(windows: Windows) -> str:
    """Why a video gives no window."""
    if windows.tail == "drop":
        return (
            f"has fewer frames than the {windows.length or windows.least} of a window, "
            "and shorter ones are dropped"
        )
    return "has too few frames: flow needs two"


def _times(windows, fps, start=0.0):
    places = [(window.first, window.first + window.count) for window in windows]
    return start + np.asarray(places, np.float64) / fps
