"""Training samples and whole clips, read from a video file or a record.

A sample is a dict of streams: "rgb" is uint8 `(frames, height, width, 3)` in 0..255;
"flow" is `(frames, height, width, 2)`: float32 in [-1, 1] where it is computed, its
8-bit code where it is read from a record. Both kinds of uint8 are scaled to the model's
range by `x / 127.5 - 1`, as late as possible, to save memory.
"""

import itertools

import numpy as np

from ..streams import CHANNELS
from ..utils import files
from ..video import transforms
from ..video.reader import FRAME_RATE, count_frames, iter_video
from . import preprocessing
from .clip_recipe import ClipRecipe
from .clips import Clip
from .records import image_coding, mediasequence
from .records.tfrecord import Record, read_record


def training_sample(
    source: Clip | Record, recipe: ClipRecipe, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], int]:
    """Reads a random clip of a video; both streams share its start, crop and flip.

    The start is random among those that leave `recipe.num_frames` frames; shorter
    videos are looped.

    Args:
        source: the video or record.
        recipe: streams, length, size and augmentation.
        rng: source of the start, the crop and the flip, in this order.

    Returns:
        The sample and the label index. Streams are `(frames, crop_size, crop_size,
        channels)` with `recipe.length(stream)` frames.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read, or has no label.
    """
    reader = open_clip(source, recipe)
    length = len(reader)
    if length < 1:
        raise ValueError(
            f"{files.redact(source.path)}: has too few frames, in its span if it has "
            f"one, for {' and '.join(recipe.streams)}"
        )
    wanted = min(length, recipe.num_frames)
    first = int(rng.integers(length - wanted + 1))
    streams = _read_clip(reader, recipe, first, wanted)
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
    if reader.label < 0:
        raise ValueError(
            f"{files.redact(source.path)}: the clip has no label to be trained on"
        )
    return streams, reader.label


def whole_clip(
    source: Clip | Record, recipe: ClipRecipe
) -> tuple[dict[str, np.ndarray], int]:
    """Reads all frames of a video, resized and not cropped.

    Args:
        source: the video or record.
        recipe: streams and short side.

    Returns:
        The sample and the label index, -1 without a label. n frames have n - 1 fields
        of flow.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read.
    """
    reader = open_clip(source, recipe)
    return reader.read(0, None), reader.label


def open_clip(source: Clip | Record, recipe: ClipRecipe):
    """Opens a video or a record without decoding its frames.

    Args:
        source: the video or record.
        recipe: streams and short side.

    Returns:
        Reader with the attributes `label`, the label index or -1, and `example_id`, the
        clip's name. `len(reader)` is the number of frames that every stream has;
        `read(first, count, rgb_stride=1)` returns the sample of at most `count` frames
        (None: all), RGB one out of `rgb_stride`.

    Raises:
        OSError: a record's file does not exist.
        ValueError: a record cannot be read.
    """
    reader = {Clip: _VideoReader, Record: _RecordReader}[type(source)]
    return reader(source, recipe)


def check_flow(record: Record) -> None:
    """Raises if a record can be read and has no optical flow.

    Raises:
        ValueError: it has none.
    """
    try:
        example = mediasequence.parse_example(read_record(record))
    except (ValueError, OSError):
        return
    _require_flow(record, example)


def _read_clip(reader, recipe, first, wanted):
    """Streams of a training clip; short videos are looped, both streams in step."""
    if wanted == recipe.num_frames and recipe.rgb_stride > 1:
        # Skips the frames between; looping needs all of them.
        streams = reader.read(first, wanted, recipe.rgb_stride)
        if all(len(clip) == recipe.length(name) for name, clip in streams.items()):
            return streams
    streams = reader.read(first, wanted)
    received = min(map(len, streams.values()))
    if received < wanted and first > 0:
        # The header announces more frames than the file has.
        streams = reader.read(max(0, first - (wanted - received)), wanted)
        received = min(map(len, streams.values()))
    return {
        name: transforms.loop(clip[:received], recipe.num_frames)[
            :: recipe.stride(name)
        ]
        for name, clip in streams.items()
    }


def _require_flow(record, example):
    if not example.flow:
        raise ValueError(
            f"{files.redact(record.path)}: the record has no optical flow; prepare it "
            "with flow, or use the RGB stream"
        )


class _VideoReader:
    """Streams of a video file; flow is computed."""

    def __init__(self, clip, recipe):
        self._clip = clip
        self._recipe = recipe
        self.label = clip.index
        self.example_id = clip.example_id

    def __len__(self):
        """Frames that every stream has."""
        frames = count_frames(
            self._clip.path, start=self._clip.start, end=self._clip.end
        )
        return max(0, frames - ("flow" in self._recipe.streams))

    def read(self, first, count, rgb_stride=1):
        """Streams of at most `count` frames (None: all) from frame `first` on."""
        needs_flow = "flow" in self._recipe.streams
        frames = iter_video(  # One thread per clip: clips are read in parallel.
            self._clip.path,
            start=(self._clip.start or 0.0) + first / FRAME_RATE,
            end=self._clip.end,
            max_frames=None if count is None else count + needs_flow,
            num_threads=1,
        )
        if not needs_flow:
            frames = itertools.islice(frames, 0, None, rgb_stride)
        streams = preprocessing.whole_streams(frames, self._recipe, num_threads=1)
        if needs_flow and "rgb" in streams:
            streams["rgb"] = streams["rgb"][:count:rgb_stride]
        return streams


class _RecordReader:
    """Streams of a MediaSequence record."""

    def __init__(self, record, recipe):
        example = mediasequence.parse_example(read_record(record))
        self._coded = {"rgb": example.rgb, "flow": example.flow}
        self._recipe = recipe
        self.label = example.index
        self.example_id = example.example_id
        if "flow" in recipe.streams:
            _require_flow(record, example)

    def __len__(self):
        """Frames that every stream has."""
        return min(len(self._coded[name]) for name in self._recipe.streams)

    def read(self, first, count, rgb_stride=1):
        """Streams of at most `count` frames (None: all) from frame `first` on."""
        end = None if count is None else first + count
        steps = {"rgb": rgb_stride, "flow": 1}
        resize = {
            "rgb": transforms.resize_short_side,
            "flow": transforms.resize_coded_flow,
        }
        streams = {}
        for name in self._recipe.streams:
            coded = self._coded[name][first : end : steps[name]]
            images = image_coding.decode_images(coded, CHANNELS[name])
            streams[name] = resize[name](images, self._recipe.short_side)
        return streams
