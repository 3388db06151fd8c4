"""Streams of one clip, out of a video or a record, at a constant frame rate."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ..streams import CHANNELS
from ..utils import files
from ..utils.text import printable
from ..video import transforms
from ..video.reader import FRAME_RATE
from ..video.sampling import LONGEST_GAP, nearest_frames, num_ticks
from . import clip_frames, preprocessing
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records import image_coding, mediasequence
from .records.tfrecord import Record, read_record

# Records of a set, and of the first ones of its files, that are looked at.
_MAX_LOOKED_AT = 100


def open_clip(source: Clip | Record, recipe: ClipRecipe, *, fps: float = FRAME_RATE):
    """Opens a video or a record without decoding its frames.

    Args:
        source: the video or record.
        recipe: streams, short side and limits.
        fps: frames per second of the streams, whatever the rate of the source.

    Returns:
        Reader with the attributes `label`, the label index or -1; `intervals`, all
        labels with their seconds from its first frame on; `example_id`, the clip's
        name; and `damage`, after reading, if frames are damaged or missing.
        `len(reader)` is the number of frames that every stream has;
        `read(first, count, rgb_stride=1)` returns the sample of at most `count` frames
        (None: all), RGB one out of `rgb_stride`.

    Raises:
        OSError: a record's file does not exist.
        ValueError: a record cannot be read.
    """
    reader = {Clip: _VideoReader, Record: _RecordReader}[type(source)]
    return reader(source, recipe, fps)


def check_flow(sources: Sequence[Clip | Record]) -> None:
    """Checks, before the work, that records were prepared with optical flow.

    A set passes if one record has it; reading the others tells which lack it. Of large
    sets the first record of each file and some others are looked at.

    Args:
        sources: clips and records.

    Raises:
        ValueError: all sources are records, and none that can be read has flow.
    """
    if not all(isinstance(source, Record) for source in sources):
        return
    firsts = {record.path: record for record in reversed(sources)}
    looked_at = dict.fromkeys([*_some_of([*firsts.values()][::-1]), *_some_of(sources)])
    lacking = []
    for record in looked_at:
        try:
            example = mediasequence.parse_example(read_record(record))
        except (ValueError, OSError):
            continue
        if example.flow:
            return
        lacking.append((record, example))
    if lacking:
        _require_flow(*lacking[0], count=len(lacking))


def _some_of(records):
    return records[:: math.ceil(len(records) / _MAX_LOOKED_AT) or 1]


def _require_flow(record, example, count=1):
    if not example.flow:
        name = f"the record {printable(example.example_id)!r}"
        others = f", nor have the {count - 1} others looked at" if count > 1 else ""
        raise ValueError(
            f"{files.redact(record.path)}: {name} has no optical flow{others}; prepare "
            "it with flow, or use the RGB stream"
        )


class _VideoReader:
    """Streams of a video file; flow is computed."""

    def __init__(self, clip, recipe, fps):
        self._clip = clip
        self._recipe = recipe
        self._fps = fps
        self.label = clip.index
        self.intervals = [i.since(clip.start or 0.0) for i in clip.all_labels]
        self.example_id = clip.example_id
        self.damage = None

    def __len__(self):
        """Frames that every stream has."""
        clip, recipe = self._clip, self._recipe
        frames = clip_frames.num_frames(
            clip.path, recipe, fps=self._fps, start=clip.start, end=clip.end
        )
        return max(0, frames - ("flow" in self._recipe.streams))

    def read(self, first, count, rgb_stride=1):
        """Streams of at most `count` frames (None: all) from frame `first` on."""
        needs_flow = "flow" in self._recipe.streams
        frames = clip_frames.iter_frames(
            self._clip.path,
            self._recipe,
            on_damage=self._note,
            fps=self._fps,
            start=(self._clip.start or 0.0) + first / self._fps,
            end=self._clip.end,
            max_frames=None if count is None else count + needs_flow,
            num_threads=1,  # Clips are read in parallel.
        )
        if not needs_flow:
            frames = itertools.islice(frames, 0, None, rgb_stride)
        streams = preprocessing.whole_streams(frames, self._recipe, num_threads=1)
        if needs_flow and "rgb" in streams:
            streams["rgb"] = streams["rgb"][:count:rgb_stride]
        return streams

    def _note(self, damage):
        self.damage = damage


class _RecordReader:
    """Streams of a MediaSequence record."""

    def __init__(self, record, recipe, fps):
        example = mediasequence.parse_example(read_record(record))
        self._coded = {"rgb": example.rgb, "flow": example.flow}
        self._name = files.redact(record.path)
        self._recipe = recipe
        self.label = example.index
        self.intervals = example.intervals
        self.example_id = example.example_id
        self.damage = None
        if "flow" in recipe.streams:
            _require_flow(record, example)
        rate = example.frame_rate or FRAME_RATE
        if not 1 / LONGEST_GAP <= rate < math.inf:
            raise ValueError(
                f"{self._name}: the record has a frame rate of {rate:g}; expected at "
                f"least a frame in {LONGEST_GAP:g} seconds"
            )
        self._numbers = {
            name: nearest_frames(len(self._coded[name]), rate, fps)
            for name in recipe.streams
        }
        self._num_frames = num_ticks(len(example.rgb), rate, fps)
        self._frames_per_tick = rate / fps

    def __len__(self):
        """Frames that every stream has."""
        return min(map(len, self._numbers.values()))

    def read(self, first, count, rgb_stride=1):
        """Streams of at most `count` frames (None: all) from frame `first` on."""
        end = None if count is None else first + count
        self._check_size(len(self) if count is None else min(len(self), count))
        strides = {"rgb": rgb_stride, "flow": 1}
        return {
            name: self._decode(name, slice(first, end, strides[name]))
            for name in self._recipe.streams
        }

    def cut(self, max_frames: int | None) -> bool:
        """Leaves out what follows the first frames, and the last one's flow.

        Args:
            max_frames: how many; None leaves out nothing.

        Returns:
            Whether there are more.
        """
        if max_frames is None:
            return False
        self._numbers = {
            name: numbers[: max(0, max_frames - (name == "flow"))]
            for name, numbers in self._numbers.items()
        }
        return self._num_frames > max_frames

    def counts(self) -> dict[str, int]:
        """Frames of each stream; flow usually has one less than RGB."""
        return {name: len(numbers) for name, numbers in self._numbers.items()}

    def blocks(self, size, *, first=0):
        """Yields the streams of `size` frames at a time; at the end some are absent."""
        self._check_size(min(len(self), size))
        counts = self.counts()
        for start in range(first, max(counts.values()), size):
            yield {
                name: self._decode(name, slice(start, start + size))
                for name, count in counts.items()
                if start < count
            }

    def _decode(self, name, place):
        """A part of a stream, resized."""
        numbers, places = np.unique(self._numbers[name][place], return_inverse=True)
        coded = [self._coded[name][number] for number in numbers]
        images = image_coding.decode_images(coded, CHANNELS[name])
        if name == "rgb":
            images = transforms.resize_short_side(images, self._recipe.short_side)
        else:
            images = transforms.resize_coded_flow(
                images,
                self._recipe.short_side,
                # Motion to the next tick, not to the next frame of the record.
                frames=self._frames_per_tick,
            )
        return images if len(numbers) == len(places) else images[places]

    def _check_size(self, count):
        """Refuses what would not fit, before memory is taken."""
        limits, short_side = self._recipe.reading, self._recipe.short_side
        has_flow = "flow" in self._recipe.streams
        for name in self._recipe.streams:
            size = image_coding.image_size(self._coded[name][0])
            if size is None:
                continue  # Decoding it gives the reason.
            limits.check_frame(self._name, size, short_side)
            held = max(short_side, min(size))
            limit = limits.max_frames(size, held, has_flow=has_flow)
            if count > limit:
                raise limits.too_long(self._name, limit)
