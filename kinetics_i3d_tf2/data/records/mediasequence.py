"""MediaSequence records: one `SequenceExample` per clip, images coded one by one.

The keys are those of MediaPipe's `media_sequence.py` as its `kinetics_dataset.py` uses
them, so that its readers and TensorFlow Model Garden's can read these records.
"""

import itertools
import os
from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import DecodeError

from ...utils import files
from ..clips import NO_LABEL, Clip
from ..intervals import Interval
from .image_coding import Coding

_MICROSECONDS = 1_000_000
_STARTS, _ENDS = "segment/start/timestamp", "segment/end/timestamp"
_SEGMENT_NAMES, _SEGMENT_INDICES = "segment/label/string", "segment/label/index"


class Example(NamedTuple):
    """Content of a record, with its images still coded."""

    example_id: str
    media_id: str
    split: str
    labels: tuple[str, ...]
    indices: tuple[int, ...]
    frame_rate: float  # frames per second; 0 if the record does not say
    rgb: Sequence[bytes]
    flow: Sequence[bytes]
    segments: tuple[Interval, ...] = ()  # seconds from the first frame on

    @property
    def index(self) -> int:
        """The index of its one label; -1 if there is none, or there are several."""
        only_one = len(self.indices) == 1 and not self.segments
        return self.indices[0] if only_one else NO_LABEL

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """All labels: those of the clip, without times, and those of its segments."""
        names = itertools.chain(self.labels, itertools.repeat(""))
        of_clip = zip(names, self.indices, strict=False)
        whole = (Interval(name, index=index) for name, index in of_clip)
        return (*whole, *self.segments)


def make_example(
    clip: Clip,
    rgb: Sequence[bytes],
    flow: Sequence[bytes] = (),
    *,
    coding: Coding,
    size: tuple[int, int],
    frame_rate: float,
) -> bytes:
    """Makes the record of a clip.

    Args:
        clip: names and labels. Labels without times are the clip's; those with times
            are segments, of which only what lies within the clip is kept.
        rgb: coded frames (`image_coding.encode_rgb`).
        flow: coded flow (`image_coding.encode_flow`) of all pairs of frames, or none.
        coding: format of the images.
        size: height and width.
        frame_rate: frames per second.

    Returns:
        A serialized `tf.train.SequenceExample`.
    """
    import tensorflow as tf

    example = tf.train.SequenceExample()
    context = example.context.feature
    context["example/id"].bytes_list.value.append(os.fsencode(clip.example_id))
    context["clip/media_id"].bytes_list.value.append(os.fsencode(clip.media_id))
    context["clip/alternative_media_id"].bytes_list.value.append(
        os.fsencode(clip.split)
    )
    context["clip/data_path"].bytes_list.value.append(
        os.fsencode(files.redact(clip.path))
    )
    _add_labels(context, clip, end=round(len(rgb) * _MICROSECONDS / frame_rate))
    streams = {
        "": (rgb, coding.rgb_format),
        "FORWARD_FLOW/": (flow, coding.flow_format),
    }
    for prefix, (images, image_format) in streams.items():
        if not images:
            continue
        name = image_format.upper().encode()
        context[prefix + "image/format"].bytes_list.value.append(name)
        facts = {"height": size[0], "width": size[1], "channels": 3}
        for fact, value in facts.items():
            context[f"{prefix}image/{fact}"].int64_list.value.append(value)
        context[prefix + "image/frame_rate"].float_list.value.append(frame_rate)
        lists = example.feature_lists.feature_list
        for number, image in enumerate(images):
            time = round(number * _MICROSECONDS / frame_rate)
            feature = lists[prefix + "image/encoded"].feature.add()
            feature.bytes_list.value.append(image)
            feature = lists[prefix + "image/timestamp"].feature.add()
            feature.int64_list.value.append(time)
    return example.SerializeToString(deterministic=True)


def parse_example(serialized: bytes) -> Example:
    """Parses a record, without decoding its images.

    Args:
        serialized: a `SequenceExample` written by this module or by MediaPipe.

    Returns:
        Its content; what it lacks is empty.

    Raises:
        ValueError: it is not a SequenceExample, or has no frames.
    """
    import tensorflow as tf

    try:
        example = tf.train.SequenceExample.FromString(serialized)
    except DecodeError as error:
        raise ValueError("The record is not a SequenceExample") from error
    context = example.context.feature
    lists = example.feature_lists.feature_list

    def text(key):
        values = context[key].bytes_list.value if key in context else ()
        return tuple(value.decode(errors="replace") for value in values)

    def images(key):
        features = lists[key].feature if key in lists else ()
        return [value for f in features for value in f.bytes_list.value[:1]]

    rgb = images("image/encoded")
    if not rgb:
        raise ValueError(
            "The record has no frames: its feature list image/encoded is empty"
        )
    return Example(
        example_id="".join(text("example/id")[:1]),
        media_id="".join(text("clip/media_id")[:1]),
        split="".join(text("clip/alternative_media_id")[:1]),
        labels=text("clip/label/string"),
        indices=tuple(context["clip/label/index"].int64_list.value),
        frame_rate=_frame_rate(context, lists),
        rgb=rgb,
        flow=images("FORWARD_FLOW/image/encoded"),
        segments=_segments(context, text(_SEGMENT_NAMES)),
    )


def _add_labels(context, clip, end):
    """Adds the labels of a clip that ends after so many microseconds."""
    for interval in clip.all_labels:
        if interval.start is interval.end is None:
            name = os.fsencode(interval.label)
            context["clip/label/string"].bytes_list.value.append(name)
            context["clip/label/index"].int64_list.value.append(interval.index)
            continue
        first, last = interval.since(clip.start or 0.0).microseconds()
        if first >= end or (last <= 0 and first < 0):
            continue
        for key, time in ((_STARTS, max(first, 0)), (_ENDS, min(last, end))):
            context[key].int64_list.value.append(int(time))
        name = os.fsencode(interval.label)
        context[_SEGMENT_NAMES].bytes_list.value.append(name)
        context[_SEGMENT_INDICES].int64_list.value.append(interval.index)


def _segments(context, names):
    """The labels with times of a record."""
    columns = [
        list(context[key].int64_list.value) if key in context else []
        for key in (_STARTS, _ENDS, _SEGMENT_INDICES)
    ]
    if len({len(names), *map(len, columns)}) > 1:
        raise ValueError(
            "The record's segments need a start, an end, a label and its index each. "
            f"Received: {len(columns[0])} starts, {len(columns[1])} ends, {len(names)} "
            f"labels and {len(columns[2])} indices"
        )
    return tuple(
        Interval(name, start / _MICROSECONDS, end / _MICROSECONDS, index)
        for name, start, end, index in zip(names, *columns, strict=True)
    )


def _frame_rate(context, lists):
    """The rate that the record states or that the times of its frames tell, or 0."""
    if "image/frame_rate" in context:
        for rate in context["image/frame_rate"].float_list.value[:1]:
            return rate
    key = "image/timestamp"
    features = lists[key].feature if key in lists else ()
    times = [value for f in features for value in f.int64_list.value[:1]]
    if len(times) < 2 or times[-1] <= times[0]:
        return 0.0
    return (len(times) - 1) * _MICROSECONDS / (times[-1] - times[0])
