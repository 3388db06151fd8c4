"""MediaSequence records: one `SequenceExample` a clip, images coded one by one.

The keys are those of MediaPipe's `media_sequence.py` as its `kinetics_dataset.py` uses
them, so that its readers, and TensorFlow Model Garden's, take these records.
"""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from google.protobuf.message import DecodeError

from ..video import optical_flow
from .clips import NO_LABEL, Clip

_MICROSECONDS = 1_000_000
_FORMATS = {"jpeg": ".jpg", "png": ".png"}
# Fast to write, and faster to read than both stronger and weaker compression.
_PNG_COMPRESSION = 3


@dataclasses.dataclass(frozen=True)
class Coding:
    """How images are coded.

    Attributes:
        rgb_format: "jpeg", or "png" for no loss.
        rgb_quality: JPEG quality of RGB frames, 1 to 100.
        flow_format: "png", which keeps the 8-bit code, or "jpeg" as MediaPipe.
        flow_quality: JPEG quality of flow; MediaPipe's is 100.
    """

    rgb_format: str = "jpeg"
    rgb_quality: int = 95
    flow_format: str = "png"
    flow_quality: int = 100

    def __post_init__(self):
        for name in (self.rgb_format, self.flow_format):
            if name not in _FORMATS:
                raise ValueError(f"Images are coded as jpeg or png. Received: {name!r}")
        for quality in (self.rgb_quality, self.flow_quality):
            if not 1 <= quality <= 100:
                raise ValueError(f"JPEG quality is 1 to 100. Received: {quality}")


class Example(NamedTuple):
    """What a record holds; its images are still coded."""

    example_id: str
    media_id: str
    split: str
    labels: tuple[str, ...]
    indices: tuple[int, ...]
    frame_rate: float  # frames a second; 0 where the record does not say
    rgb: Sequence[bytes]
    flow: Sequence[bytes]

    @property
    def index(self) -> int:
        """Label index of a clip of one class; -1 when there is none."""
        return self.indices[0] if self.indices else NO_LABEL


def encode_rgb(frames: Iterable[np.ndarray], coding: Coding) -> list[bytes]:
    """Codes RGB frames one by one.

    Args:
        frames: uint8 `(height, width, 3)` each.
        coding: the format.

    Returns:
        The coded images.
    """
    return [_encode(f, coding.rgb_format, coding.rgb_quality) for f in frames]


def encode_flow(displacements: Iterable[np.ndarray], coding: Coding) -> list[bytes]:
    """Codes optical flow as 8-bit images (`optical_flow.encode_flow`).

    Args:
        displacements: float `(height, width, 2)` in pixels, each.
        coding: the format.

    Returns:
        The coded images.
    """
    return [
        _encode(optical_flow.encode_flow(d), coding.flow_format, coding.flow_quality)
        for d in displacements
    ]


def make_example(
    clip: Clip,
    rgb: Sequence[bytes],
    flow: Sequence[bytes] = (),
    *,
    coding: Coding,
    size: tuple[int, int],
    frame_rate: float,
) -> bytes:
    """Puts a clip together.

    Args:
        clip: names and label; without a label, the label's keys are left out.
        rgb: coded frames (`encode_rgb`).
        flow: coded flow (`encode_flow`), one less than frames, or none.
        coding: what they are coded with.
        size: height and width.
        frame_rate: frames a second.

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
    context["clip/data_path"].bytes_list.value.append(os.fsencode(clip.path))
    if clip.index != NO_LABEL:
        context["clip/label/string"].bytes_list.value.append(os.fsencode(clip.label))
        context["clip/label/index"].int64_list.value.append(clip.index)
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
    """Takes a record apart, without decoding its images.

    Args:
        serialized: a `SequenceExample` of this module or of MediaPipe.

    Returns:
        What it holds; what it lacks is empty.

    Raises:
        ValueError: it is no SequenceExample, or has no frames.
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
        frame_rate=sum(context["image/frame_rate"].float_list.value[:1]),
        rgb=rgb,
        flow=images("FORWARD_FLOW/image/encoded"),
    )


def decode_images(coded: Sequence[bytes], channels: int = 3) -> np.ndarray:
    """Decodes RGB frames, or flow as its 8-bit code (see `optical_flow.decode_flow`).

    Args:
        coded: JPEG or PNG images of one size, at least one.
        channels: how many of red, green and blue; flow is in the first two.

    Returns:
        uint8 `(images, height, width, channels)`.

    Raises:
        ValueError: an image is damaged, or of another size than the first.
    """
    images = None
    for number, content in enumerate(coded):
        buffer = np.frombuffer(content, np.uint8)
        try:
            image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if len(buffer) else None
        except cv2.error:  # A damaged size is too large for it.
            image = None
        if image is None:
            raise ValueError(f"Image {number} of the record cannot be decoded")
        if images is None:
            images = np.empty((len(coded), *image.shape[:2], channels), np.uint8)
        if image.shape[:2] != images.shape[1:3]:
            raise ValueError(
                f"Image {number} of the record is {image.shape[1]}x{image.shape[0]}, "
                f"the first is {images.shape[2]}x{images.shape[1]}"
            )
        # OpenCV's order is blue, green, red; far faster than slices or mixChannels.
        if channels == 3:
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=images[number])
        else:
            cv2.merge(cv2.split(image)[: -1 - channels : -1], dst=images[number])
    return images


def _encode(image, image_format, quality):
    options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]
    if image_format == "jpeg":
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(_FORMATS[image_format], image, options)[1].tobytes()
