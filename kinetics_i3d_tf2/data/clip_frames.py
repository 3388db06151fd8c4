"""Frames of a video within the limits of a recipe: what every program reads."""

import functools
from collections.abc import Callable, Iterator

import numpy as np
from absl import logging

from ..video.damage import Damage
from ..video.reader import Source, count_frames, iter_video, name_of, with_folder
from .clip_recipe import ClipRecipe

_warned: set[str] = set()  # Names of damaged videos, in this process.


def iter_frames(
    source: Source,
    recipe: ClipRecipe,
    *,
    holds_all: bool = True,
    on_damage: Callable[[Damage], None] | None = None,
    **options,
) -> Iterator[np.ndarray]:
    """Yields the frames of a video, at its own size, within the recipe's limits.

    Args:
        source: as of `iter_video`; a folder's images are at `image_fps`.
        recipe: short side that frames will be resized to, streams, and limits.
        holds_all: whether the caller holds all frames. Then they are limited, unless
            `max_frames` is.
        on_damage: gets the counts of damaged and missing frames, if there are any. They
            are logged in any case, once for each file in a process.
        options: `fps`, `start`, `end`, `max_frames` and `num_threads` of `iter_video`.

    Yields:
        uint8 `(height, width, 3)` in 0..255.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it cannot be read, is damaged beyond the limit, or its frames are
            too long or too many.
        MemoryError: memory ran out.
    """
    limits, limit = recipe.reading, None
    source = with_folder(source, limits.image_fps)
    name = name_of(source)
    images = iter_video(
        source,
        max_damaged_frames=limits.max_damaged_frames,
        on_damage=functools.partial(_report, name, on_damage),
        **options,
    )
    for count, image in enumerate(images, 1):
        if count == 1:
            size = image.shape[1::-1]
            limits.check_frame(name, size, recipe.short_side)
            if holds_all and options.get("max_frames") is None:
                has_flow = "flow" in recipe.streams
                limit = limits.max_frames(size, recipe.short_side, has_flow=has_flow)
        if limit is not None and count > limit:
            raise limits.too_long(name, limit)
        yield image


def num_frames(source: Source, recipe: ClipRecipe, **options) -> int:
    """`count_frames` of a video; a folder's images are at the recipe's `image_fps`.

    Raises:
        OSError: as of `count_frames`.
        ValueError: as of `count_frames`.
    """
    return count_frames(with_folder(source, recipe.reading.image_fps), **options)


def _report(name, on_damage, damage):
    if name not in _warned:
        _warned.add(name)
        logging.warning("%s: %s", name, damage)
    if on_damage is not None:
        on_damage(damage)
