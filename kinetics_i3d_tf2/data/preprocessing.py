"""The release's preprocessing, from the frames of a video to the input of a model.

All programs compose it of these steps, in this order:

1. 25 frames per second: `video.reader.iter_video`;
2. short side of 256 pixels: `resize`;
3. Flow: TV-L1 between neighbouring resized frames: `video.optical_flow`;
4. the central 224x224: `center_crop` (training and views crop elsewhere as well);
5. values in [-1, 1]: RGB x / 127.5 - 1, Flow clipped to +-20 pixels and / 20;
6. a clip shorter than the model's minimum is looped from its start.

Streams are dicts of arrays by name, "rgb" and "flow".

Source: README of the release, 'Sample data and preprocessing'; paper, section 2.5.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from ..video import optical_flow, transforms
from ..video.arrays import stack
from .clip_recipe import ClipRecipe

Streams = dict[str, np.ndarray]


def model_input(
    frames: Iterable[np.ndarray],
    recipe: ClipRecipe,
    *,
    num_threads: int | None = None,
    progress: bool = False,
) -> Streams:
    """Prepares a video for a model that sees all of it at once: steps 2 to 6.

    Recipes that are `windowed` are cut by `views` instead.

    Args:
        frames: uint8 RGB `(height, width, 3)` in 0..255, 25 per second.
        recipe: streams, flow, short side, crop and minimum number of frames.
        num_threads: threads that compute flow; by default one for each processor.
        progress: show a progress bar of the flow on standard error.

    Returns:
        For each stream float32 `(frames, crop_size, crop_size, channels)` in [-1, 1].
        n frames have n - 1 fields of flow; short streams are looped to
        `recipe.min_frames`. RGB has one out of `recipe.rgb_stride` frames.

    Raises:
        ValueError: there are no frames, or only one and the recipe has flow.
    """
    return normalize(
        compact_input(frames, recipe, num_threads=num_threads, progress=progress)
    )


def compact_input(
    frames: Iterable[np.ndarray],
    recipe: ClipRecipe,
    *,
    num_threads: int | None = None,
    progress: bool = False,
) -> Streams:
    """As `model_input`, but RGB is still uint8 in 0..255 and takes a quarter of memory.

    `normalize` completes it.
    """
    if recipe.streams == ("rgb",):  # Before they are stacked, it is half the memory.
        crop = transforms.center_crop
        resized = resize(frames, recipe.short_side)
        rgb = stack(crop(frame, recipe.crop_size) for frame in resized)
        if not len(rgb):
            raise ValueError("There are no frames")
        return loop({"rgb": rgb}, recipe)
    streams = whole_streams(frames, recipe, num_threads=num_threads, progress=progress)
    return loop(center_crop(streams, recipe.crop_size), recipe)


def loop(streams: Streams, recipe: ClipRecipe) -> Streams:
    """Loops short streams, and takes one out of `rgb_stride` frames of RGB: step 6.

    Args:
        streams: `(frames, ...)`.
        recipe: minimum number of frames, and the stride.

    Returns:
        Streams of at least `recipe.min_frames` frames, before the stride.
    """
    return {
        name: transforms.loop(stream, recipe.min_frames)[:: recipe.stride(name)]
        for name, stream in streams.items()
    }


def whole_streams(
    frames: Iterable[np.ndarray],
    recipe: ClipRecipe,
    *,
    num_threads: int | None = None,
    progress: bool = False,
) -> Streams:
    """Prepares a video, whole and not cropped: steps 2, 3 and the flow's 5.

    Args:
        frames: uint8 RGB `(height, width, 3)` in 0..255, 25 per second.
        recipe: streams, flow and short side.
        num_threads: threads that compute flow; by default one for each processor.
        progress: show a progress bar of the flow on standard error.

    Returns:
        "rgb" is uint8 `(frames, height, width, 3)` in 0..255, four times smaller than
        normalized; "flow" is float32 `(frames - 1, height, width, 2)` in [-1, 1].

    Raises:
        ValueError: there are no frames, or only one and the recipe has flow.
    """
    rgb = stack(resize(frames, recipe.short_side))
    if not len(rgb):
        raise ValueError("There are no frames")
    streams = {"rgb": rgb}
    if "flow" in recipe.streams:
        displacements = optical_flow.iter_optical_flow(
            rgb,
            engine=recipe.flow_engine,
            epsilon=recipe.flow_epsilon,
            num_threads=num_threads,
            progress=progress,
        )
        streams["flow"] = stack(map(optical_flow.normalize_flow, displacements))
    return {name: streams[name] for name in recipe.streams}


def iter_streams(
    frames: Iterable[np.ndarray],
    recipe: ClipRecipe,
    *,
    num_threads: int | None = None,
    keep_last: bool = False,
) -> Iterator[Streams]:
    """Prepares a video as its frames come, holding few: steps 2 to 4, the flow's 5.

    Args:
        frames: uint8 RGB `(height, width, 3)` in 0..255, 25 per second.
        recipe: streams, flow, short side and crop.
        num_threads: threads that compute flow; by default one for each processor.
        keep_last: with flow, also yield the last frame's RGB.

    Yields:
        "rgb" is uint8 `(crop_size, crop_size, 3)` in 0..255, "flow" is float32
        `(crop_size, crop_size, 2)` in [-1, 1], the motion to the next frame. The last
        frame has none and is left out when the recipe has flow.

    Raises:
        ValueError: the recipe has flow and there is no pair of frames.
    """
    for frame, displacement in resized_with_flow(
        frames, recipe, num_threads=num_threads
    ):
        streams = {"rgb": frame} if "rgb" in recipe.streams else {}
        if displacement is not None:
            streams["flow"] = optical_flow.normalize_flow(displacement)
        if streams and (keep_last or len(streams) == len(recipe.streams)):
            yield center_crop(streams, recipe.crop_size)


def resized_with_flow(
    frames: Iterable[np.ndarray],
    recipe: ClipRecipe,
    *,
    num_threads: int | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Resizes frames and computes their flow as they come: steps 2 and 3.

    Args:
        frames: uint8 RGB `(height, width, 3)` in 0..255, 25 per second.
        recipe: streams, flow and short side.
        num_threads: threads that compute flow; by default one for each processor.

    Yields:
        Each resized frame and its displacement to the next, float32 `(height, width,
        2)` in pixels; None for the last frame and for recipes without flow.

    Raises:
        ValueError: the recipe has flow and there is no pair of frames.
    """
    resized = resize(frames, recipe.short_side)
    fields = ()
    if "flow" in recipe.streams:
        resized, source = itertools.tee(resized)
        fields = optical_flow.iter_optical_flow(
            source,
            engine=recipe.flow_engine,
            epsilon=recipe.flow_epsilon,
            num_threads=num_threads,
        )
    yield from itertools.zip_longest(resized, fields)


def resize(
    frames: Iterable[np.ndarray], short_side: int = transforms.SHORT_SIDE
) -> Iterator[np.ndarray]:
    """Resizes frames one by one: step 2.

    Args:
        frames: uint8 `(height, width, 3)`.
        short_side: short side of the result in pixels.

    Yields:
        uint8 `(height, width, 3)`.
    """
    for frame in frames:
        yield transforms.resize_short_side(frame, short_side)


def center_crop(streams: Streams, size: int) -> Streams:
    """Cuts the central square out of every stream: step 4.

    Args:
        streams: `(..., height, width, channels)`.
        size: side of the square in pixels.

    Returns:
        Streams `(..., size, size, channels)`, views of the given ones.

    Raises:
        ValueError: frames are smaller than the crop.
    """
    return {n: transforms.center_crop(stream, size) for n, stream in streams.items()}


def normalize(streams: Streams) -> Streams:
    """Scales what is still 8-bit, RGB or coded flow, to [-1, 1]: step 5.

    Args:
        streams: uint8, or float32 in [-1, 1], of any shape.

    Returns:
        float32 streams of the same shape; those that were float32 as they are.
    """
    return {
        name: transforms.normalize_rgb(stream) if stream.dtype == np.uint8 else stream
        for name, stream in streams.items()
    }
