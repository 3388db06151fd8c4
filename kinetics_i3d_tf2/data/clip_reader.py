"""Training samples and whole clips, read from a video file or a record.

A sample is a dict of streams: "rgb" is uint8 `(frames, height, width, 3)` in 0..255;
"flow" is `(frames, height, width, 2)`: float32 in [-1, 1] where it is computed, its
8-bit code where it is read from a record. Both kinds of uint8 are scaled to the model's
range by `x / 127.5 - 1`, as late as possible, to save memory.

Its label is an index or, with `ClipRecipe.targets`, an array of several labels.
"""

import numpy as np

from ..utils import files
from ..video import transforms
from ..video.reader import FRAME_RATE
from . import clip_streams
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records.tfrecord import Record


def training_sample(
    source: Clip | Record, recipe: ClipRecipe, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], int | np.ndarray]:
    """Reads a random clip of a video; both streams share its start, crop and flip.

    The start is random among those that leave `recipe.num_frames` frames; shorter
    videos are looped.

    Args:
        source: the video or record.
        recipe: streams, length, size and augmentation.
        rng: source of the start, the crop and the flip, in this order.

    Returns:
        The sample, and the label index or the targets, as of `recipe.targets`. Streams
        are `(frames, crop_size, crop_size, channels)` with `recipe.length(stream)`
        frames.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read, or has no label and `recipe.targets` is None.
    """
    reader = clip_streams.open_clip(source, recipe)
    length = len(reader)
    if length < 1:
        raise ValueError(
            f"{files.redact(source.path)}: has too few frames, in its span if it has "
            f"one, for {' and '.join(recipe.streams)}"
        )
    wanted = min(length, recipe.num_frames)
    first = int(rng.integers(length - wanted + 1))
    streams, frames = _read_clip(reader, recipe, first, wanted)
    place = rng.integers(1 << 32)
    is_mirrored = recipe.flip and rng.random() < 0.5
    for name, clip in streams.items():
        # The same draws for both streams.
        place_rng = np.random.default_rng(place)
        clip = transforms.random_crop(clip, recipe.crop_size, rng=place_rng)
        if is_mirrored:
            flip = transforms.flip if name == "rgb" else transforms.flip_flow
            clip = flip(clip)
        streams[name] = clip
    if recipe.targets is not None:
        held = recipe.targets.of_frames(reader.intervals, frames, FRAME_RATE)
        return streams, recipe.targets.of_clip(held)
    if reader.label < 0:
        raise ValueError(
            f"{files.redact(source.path)}: the clip has no label to be trained on"
        )
    return streams, reader.label


def whole_clip(
    source: Clip | Record, recipe: ClipRecipe
) -> tuple[dict[str, np.ndarray], int | np.ndarray]:
    """Reads all frames of a video, resized and not cropped.

    Args:
        source: the video or record.
        recipe: streams and short side.

    Returns:
        The sample, and the label index, -1 without a label; with `recipe.targets`, the
        labels of all frames, float32 `(frames, classes)`. n frames have n - 1 fields of
        flow.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read.
    """
    reader = clip_streams.open_clip(source, recipe)
    return _with_label(reader, recipe, reader.read(0, None), 0)


def central_clip(
    source: Clip | Record, recipe: ClipRecipe
) -> tuple[dict[str, np.ndarray], int | np.ndarray]:
    """Reads the frames in the middle of a video, resized and not cropped.

    A single view of it shows no others, however long it is.

    Args:
        source: the video or record.
        recipe: streams and short side; of a longer video, `num_frames` are read.

    Returns:
        As of `whole_clip`.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read.
    """
    reader = clip_streams.open_clip(source, recipe)
    length = len(reader)
    if length <= recipe.num_frames:
        return _with_label(reader, recipe, reader.read(0, None), 0)
    first = (length - recipe.num_frames) // 2
    streams, first = _read_span(reader, first, recipe.num_frames)
    return _with_label(reader, recipe, streams, first)


def _with_label(reader, recipe, streams, first):
    """Streams from a frame on, and the label index or the labels of these frames."""
    if recipe.targets is None:
        return streams, reader.label
    # RGB may have one frame more than flow.
    frames = first + np.arange(len(streams[recipe.streams[0]]))
    held = recipe.targets.of_frames(reader.intervals, frames, FRAME_RATE)
    return streams, held


def _read_clip(reader, recipe, first, wanted):
    """Streams of a training clip, and the numbers of its frames in the video.

    Short videos are looped, both streams in step.
    """
    numbers = np.arange(recipe.num_frames)
    if wanted == recipe.num_frames and recipe.rgb_stride > 1:
        # Skips the frames between; looping needs all of them.
        streams = reader.read(first, wanted, recipe.rgb_stride)
        if all(len(clip) == recipe.length(name) for name, clip in streams.items()):
            return streams, first + numbers
    streams, first = _read_span(reader, first, wanted)
    received = min(map(len, streams.values()))
    looped = {
        name: transforms.loop(clip[:received], recipe.num_frames)[
            :: recipe.stride(name)
        ]
        for name, clip in streams.items()
    }
    return looped, first + numbers % max(received, 1)


def _read_span(reader, first, wanted):
    """Streams of so many frames from one on, which may be earlier, and its number."""
    streams = reader.read(first, wanted)
    received = min(map(len, streams.values()))
    if received < wanted and first > 0:
        # The header announces more frames than the file has.
        first = max(0, first - (wanted - received))
        streams = reader.read(first, wanted)
    return streams, first
