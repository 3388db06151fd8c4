"""The frames of a video or a record, preprocessed one by one."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..utils import files
from ..video.damage import Damage
from ..video.reader import FRAME_RATE
from . import clip_frames, clip_streams, preprocessing
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records.tfrecord import Record

_BLOCK = 64  # frames of a record that are decoded at once


@dataclasses.dataclass(frozen=True)
class FrameReader:
    """Reads and preprocesses frames as the release did, holding few in memory.

    Attributes:
        recipe: streams, flow, short side, crop and limits.
        fps: frames per second to take.
        num_threads: decoding threads; by default one for each processor.
        keep_last: also yield the last frame, which has no flow.
        skip: frames to leave out at the beginning. They are decoded, so that the others
            do not depend on it.
        max_frames: frames to take after those, at most, and the flow between them; None
            takes all.
    """

    recipe: ClipRecipe = ClipRecipe()  # noqa: B008
    fps: float = FRAME_RATE
    num_threads: int | None = None
    keep_last: bool = False
    skip: int = 0
    max_frames: int | None = None

    @property
    def _end(self):
        """Frames after which reading ends, or None."""
        return None if self.max_frames is None else self.skip + self.max_frames

    def read(
        self,
        source: Clip | Record,
        *,
        on_damage: Callable[[Damage], None] | None = None,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Reads a whole video or record.

        Args:
            source: the video or record.
            on_damage: as of `clip_frames.iter_frames`.

        Yields:
            Streams as of `preprocessing.iter_streams`; flow of a record is uint8, its
            8-bit code.

        Raises:
            OSError: the file does not exist.
            ValueError: it cannot be read, or exceeds a limit.
        """
        if isinstance(source, Record):
            yield from self._read_record(source)
            return
        frames = clip_frames.iter_frames(
            source.path,
            self.recipe,
            holds_all=False,
            on_damage=on_damage,
            fps=self.fps,
            start=source.start,
            end=source.end,
            max_frames=self._end,
            num_threads=self.num_threads,
        )
        yield from self.prepare(itertools.islice(frames, self.skip, None))

    def count(self, source: Clip | Record) -> int:
        """How many frames `read` will probably yield, as the file announces it.

        Args:
            source: the video or record.

        Raises:
            OSError: the file does not exist.
            ValueError: it cannot be read.
        """
        counts = self.counts(source)
        if not self.keep_last:
            return min(counts.values())
        is_video = isinstance(source, Clip)
        return max(counts.values()) + (is_video and [*counts] == ["flow"])

    def counts(self, source: Clip | Record) -> dict[str, int]:
        """How many frames each stream will probably have; arguments as of `count`."""
        if isinstance(source, Record):
            found = self._open(source).counts()
        else:
            count = clip_frames.num_frames(
                source.path,
                self.recipe,
                fps=self.fps,
                start=source.start,
                end=source.end,
            )
            if self._end is not None:
                count = min(count, self._end)
            found = {name: count - (name == "flow") for name in self.recipe.streams}
        return {name: max(0, count - self.skip) for name, count in found.items()}

    def prepare(self, frames: Iterable[np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        """Prepares frames in memory, uint8 RGB; see `preprocessing.iter_streams`."""
        yield from preprocessing.iter_streams(
            frames, self.recipe, keep_last=self.keep_last
        )

    def _open(self, record):
        reader = clip_streams.open_clip(record, self.recipe, fps=self.fps)
        reader.cut(self._end)
        return reader

    def _read_record(self, record):
        reader = self._open(record)
        if self.skip >= max(reader.counts().values()):
            raise ValueError(
                f"{files.redact(record.path)}: the record has no frames from second "
                f"{self.skip / self.fps:g} on"
            )
        for block in reader.blocks(_BLOCK, first=self.skip):
            block = preprocessing.center_crop(block, self.recipe.crop_size)
            for number in range(max(map(len, block.values()))):
                names = [name for name, clip in block.items() if number < len(clip)]
                if len(names) < len(self.recipe.streams) and not self.keep_last:
                    return
                yield {name: block[name][number] for name in names}
