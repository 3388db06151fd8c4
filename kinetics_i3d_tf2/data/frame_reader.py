"""The frames of a video or a record, preprocessed one by one."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from ..video.reader import FRAME_RATE, iter_video
from . import clip_reader, preprocessing
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records.tfrecord import Record


@dataclasses.dataclass(frozen=True)
class FrameReader:
    """Reads and preprocesses frames as the release did, holding few in memory.

    Attributes:
        recipe: streams, flow, short side and crop.
        fps: frames per second to take from a video.
        num_threads: decoding threads; by default FFmpeg's choice.
    """

    recipe: ClipRecipe = ClipRecipe()  # noqa: B008
    fps: float = FRAME_RATE
    num_threads: int | None = None

    def read(self, source: Clip | Record) -> Iterator[dict[str, np.ndarray]]:
        """Reads a whole video file or record.

        Args:
            source: the video or record. A record has 25 frames per second.

        Yields:
            Streams as of `preprocessing.iter_streams`; flow of a record is uint8, its
            8-bit code.

        Raises:
            OSError: the file does not exist.
            ValueError: it cannot be read, or is truncated.
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
        """Prepares frames in memory, uint8 RGB; see `preprocessing.iter_streams`."""
        yield from preprocessing.iter_streams(frames, self.recipe)

    def _read_record(self, record):
        streams, _ = clip_reader.whole_clip(record, self.recipe)
        streams = preprocessing.center_crop(streams, self.recipe.crop_size)
        for values in zip(*streams.values(), strict=False):
            yield dict(zip(streams, values, strict=True))
