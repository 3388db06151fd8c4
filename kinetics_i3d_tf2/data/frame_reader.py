"""The frames of a video or a record, one after another, as a model takes them."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..video import optical_flow as optical
from ..video import transforms
from ..video.reader import FRAME_RATE, iter_video
from . import clip_reader
from .clip_recipe import ClipRecipe
from .clips import Clip
from .tfrecord import Record

# Pairs whose flow is computed at once, by several threads.
_PAIRS = 16


@dataclasses.dataclass(frozen=True)
class FrameReader:
    """How frames are read and prepared: as the release prepared its own.

    Attributes:
        recipe: streams, short side and crop.
        fps: frames a second that are taken of a video.
        compute_flow: `flow.optical_flow`, with other options if wanted.
        num_threads: threads that decode; by default FFmpeg's choice.
    """

    recipe: ClipRecipe = ClipRecipe()  # noqa: B008
    fps: float = FRAME_RATE
    compute_flow: Callable[[np.ndarray], np.ndarray] = optical.optical_flow
    num_threads: int | None = None

    def read(self, source: Clip | Record) -> Iterator[dict[str, np.ndarray]]:
        """Reads a video file or a record, whole, holding few frames of it.

        Args:
            source: where it is. The frames of a record are 25 a second.

        Yields:
            Streams by name, as of `prepare`; flow out of a record is uint8, its code.

        Raises:
            OSError: the file is not there.
            ValueError: it cannot be read, or ends in the middle.
        """
        if isinstance(source, Record):
            yield from self._read_record(source)
            return
        yield from self.prepare(
            iter_video(
                source.path,
                fps=self.fps,
                start=source.start,
                end=source.end,
                num_threads=self.num_threads,
            )
        )

    def prepare(self, frames: Iterable[np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        """Resizes, crops and computes flow.

        Args:
            frames: uint8 RGB `(height, width, 3)` in 0..255.

        Yields:
            Streams by name: "rgb" is uint8 `(crop_size, crop_size, 3)` in 0..255,
            "flow" is float32 `(crop_size, crop_size, 2)` in [-1, 1], the motion to the
            next frame; the last frame has none, and is left out where there is flow.
        """
        side, size = self.recipe.short_side, self.recipe.crop_size
        resized = (transforms.resize_short_side(frame, side) for frame in frames)
        if "flow" not in self.recipe.streams:
            for frame in resized:
                yield {"rgb": transforms.center_crop(frame, size)}
            return
        for chunk in _overlapping(resized, _PAIRS):
            displacement = self.compute_flow(np.stack(chunk))
            fields = optical.normalize_flow(transforms.center_crop(displacement, size))
            for frame, field in zip(chunk, fields, strict=False):
                streams = {"rgb": transforms.center_crop(frame, size), "flow": field}
                yield {name: streams[name] for name in self.recipe.streams}

    def _read_record(self, record):
        streams, _ = clip_reader.whole_clip(record, self.recipe)
        streams = {
            name: transforms.center_crop(stream, self.recipe.crop_size)
            for name, stream in streams.items()
        }
        for values in zip(*streams.values(), strict=False):
            yield dict(zip(streams, values, strict=True))


def _overlapping(frames, pairs):
    """Yields lists of up to `pairs` + 1 frames; one begins where the last ended."""
    frames = iter(frames)
    chunk = list(itertools.islice(frames, 1))
    while True:
        chunk += itertools.islice(frames, pairs)
        if len(chunk) < 2:
            return
        yield chunk
        chunk = chunk[-1:]
