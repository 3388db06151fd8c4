"""Features of videos: what a model computes of windows of their frames."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..arguments import suggest_arguments
from ..data import prefetch
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.frame_reader import FrameReader
from ..data.read_options import ReadOptions
from ..data.records.tfrecord import Record
from ..data.tf_data import views
from ..inference import graph
from ..inference.videos import run_windows
from ..inference.windows import Window, Windows
from ..models.architecture import ENDPOINTS, MIN_FRAMES
from ..models.i3d import InceptionI3d
from ..streams import CHANNELS
from ..video.damage import Damage
from ..video.reader import FRAME_RATE

ENDPOINT = "Mixed_5c"
POOLS = {"both": (1, 2, 3), "space": (2, 3), "time": (1,), "none": ()}
# Endpoints that have neither time nor space any more.
_HEADS = ("Logits", "Predictions")


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


def make_extractor(
    models: dict[str, InceptionI3d],
    *,
    endpoint: str = ENDPOINT,
    pool: str = "both",
    dtype: str = "float32",
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Makes a function from batches of clips to their features.

    Args:
        models: `InceptionI3d` by stream: "rgb", "flow" or both. Their weights are
            copied; batch norm is folded into the convolutions.
        endpoint: one of `InceptionI3d.VALID_ENDPOINTS`.
        pool: over what the endpoint is averaged: "space", "time", "both" or "none";
            there is nothing to average of `Logits` and `Predictions`.
        dtype: dtype policy of the trunks, "float32" or "bfloat16".

    Returns:
        Function from clips by stream, `(batch, frames, height, width, channels)`, uint8
        or float32 in [-1, 1], to float32 `(batch, ..., channels)`. The channels of both
        streams follow each other, RGB first: 2048 of the last Inception block. It
        raises MemoryError when a batch is too large.

    Raises:
        ValueError: an argument is none of those.
    """
    if not models or not set(models) <= set(CHANNELS):
        raise ValueError(
            f"models are by stream, rgb, flow or both. Received: {', '.join(models)}"
        )
    if endpoint not in ENDPOINTS or pool not in POOLS:
        raise ValueError(
            f"endpoint is one of {', '.join(ENDPOINTS)}, and pool one of "
            f"{', '.join(POOLS)}. Received: {endpoint!r}, {pool!r}"
        )
    axes = () if endpoint in _HEADS else POOLS[pool]
    run = {stream: _freeze(models[stream], endpoint, axes, dtype) for stream in models}

    def extract(batch):
        streams = {name: tf.convert_to_tensor(clips) for name, clips in batch.items()}
        try:
            clips = views.normalize(streams)
            outputs = [run[name](clips[name]) for name in CHANNELS if name in run]
        except tf.errors.ResourceExhaustedError as error:
            shapes = ", ".join(str(tuple(clip.shape)) for clip in streams.values())
            raise MemoryError(
                f"There is not enough memory for a batch of {shapes}; take a smaller "
                "batch_size, or shorter windows"
            ) from error
        return np.concatenate([output.numpy() for output in outputs], axis=-1)

    return extract


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
    reader = FrameReader(recipe, fps=fps, holds_all=windows.length == 0)
    if isinstance(source, np.ndarray):
        frames = reader.prepare(source)
    else:
        frames = reader.read(Clip(os.fspath(source)), on_damage=found.append)
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
    extract: Callable[[dict[str, np.ndarray]], np.ndarray],
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
            if item.error or not found:
                yield item.error or too_short(windows)
            else:
                start = getattr(sources[number], "start", None) or 0.0
                times = _times(found, reader.fps, start)
                yield Features(np.stack(values), times, item.damage)
            found, values, number = [], [], number + 1


def check_windows(windows: Windows, endpoint: str) -> None:
    """Refuses windows that are too short for an endpoint.

    Raises:
        ValueError: they are, or whole videos are not completed to what it needs.
    """
    least = windows.length or windows.least
    if endpoint in _HEADS and least < MIN_FRAMES:
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


def _freeze(model, endpoint, axes, dtype):
    """One graph of an endpoint, averaged."""
    # Models mostly end at their logits.
    built = "Logits" if endpoint == "Predictions" else endpoint
    folded = graph.fold_batch_norm(model.endpoint_model([built]), dtype=dtype)
    values = ops.cast(folded.output[built], "float32")
    if endpoint == "Predictions":
        values = ops.softmax(values)
    if axes:
        values = ops.mean(values, axis=axes)
    return graph.freeze(keras.Model(folded.input, values))
