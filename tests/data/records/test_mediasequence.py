import zlib

import cv2
import numpy as np
import pytest
import tensorflow as tf
from videos import brightness_frames

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import image_coding, mediasequence
from kinetics_i3d_tf2.data.records.image_coding import Coding
from kinetics_i3d_tf2.video import optical_flow

CLIP = Clip("videos/---QUuC4vJs_000084_000094.mp4", "testifying", 348, split="val")
SIZE = (48, 64)


def moving_frames(count=5):
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (60, 90, 3)), (0, 0), 3)
    texture = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.stack([texture[i : i + 48, i : i + 64] for i in range(count)])


def make(frames, displacement=(), coding=None, clip=CLIP):
    coding = coding or Coding()
    return mediasequence.make_example(
        clip,
        image_coding.encode_rgb(frames, coding),
        image_coding.encode_flow(displacement, coding),
        coding=coding,
        size=SIZE,
        frame_rate=25.0,
    )


# The documented keys, as any reader of MediaSequence knows them.
CONTEXT = {
    "example/id": b"---QUuC4vJs_84",
    "clip/media_id": b"---QUuC4vJs",
    "clip/alternative_media_id": b"val",
    "clip/data_path": b"videos/---QUuC4vJs_000084_000094.mp4",
    "clip/label/string": b"testifying",
    "clip/label/index": 348,
    "image/format": b"JPEG",
    "image/height": 48,
    "image/width": 64,
    "image/channels": 3,
    "image/frame_rate": 25.0,
    "FORWARD_FLOW/image/format": b"PNG",
    "FORWARD_FLOW/image/height": 48,
    "FORWARD_FLOW/image/width": 64,
    "FORWARD_FLOW/image/channels": 3,
    "FORWARD_FLOW/image/frame_rate": 25.0,
}
LISTS = {
    "image/encoded": tf.string,
    "image/timestamp": tf.int64,
    "FORWARD_FLOW/image/encoded": tf.string,
    "FORWARD_FLOW/image/timestamp": tf.int64,
}
_TYPES = {bytes: tf.string, int: tf.int64, float: tf.float32}


def test_tensorflow_reads_every_documented_key():
    frames = moving_frames()
    displacement = np.zeros((4, *SIZE, 2), np.float32)
    context, lists = tf.io.parse_single_sequence_example(
        make(frames, displacement),
        {k: tf.io.FixedLenFeature((), _TYPES[type(v)]) for k, v in CONTEXT.items()},
        {k: tf.io.FixedLenSequenceFeature((), dtype) for k, dtype in LISTS.items()},
    )
    assert {key: value.numpy() for key, value in context.items()} == CONTEXT
    times = [0, 40_000, 80_000, 120_000, 160_000]
    assert lists["image/timestamp"].numpy().tolist() == times
    assert lists["FORWARD_FLOW/image/timestamp"].numpy().tolist() == times[:4]
    # Readers call decode_jpeg, which reads PNG as well.
    rgb = np.stack([tf.io.decode_jpeg(i) for i in lists["image/encoded"]])
    assert np.abs(rgb.astype(int) - frames).mean() < 3
    coded = np.stack([tf.io.decode_jpeg(i) for i in lists[list(LISTS)[2]]])
    assert (coded == [127, 127, 0]).all()


def mediapipe_example(frames, displacement):
    """A record as MediaPipe's documentation describes its own, byte for byte.

    Independent of this package: protocol buffers, OpenCV's JPEG of quality 100, and the
    quantisation that the format documents.
    """
    example = tf.train.SequenceExample()
    context = example.context.feature
    context["example/id"].bytes_list.value[:] = [b"abcdefghijk_7"]
    context["clip/media_id"].bytes_list.value[:] = [b"abcdefghijk"]
    context["clip/alternative_media_id"].bytes_list.value[:] = [b"train"]
    context["clip/data_path"].bytes_list.value[:] = [b"/videos/abcdefghijk.mp4"]
    context["clip/label/string"].bytes_list.value[:] = [b"abseiling"]
    context["clip/label/index"].int64_list.value[:] = [0]
    values = np.trunc((np.clip(displacement, -20, 20) + 20) / 40 * 255)
    coded = np.concatenate([values, np.zeros_like(values[..., :1])], -1)
    streams = {"": frames, "FORWARD_FLOW/": coded.astype(np.uint8)}
    for prefix, images in streams.items():
        context[prefix + "image/format"].bytes_list.value[:] = [b"JPEG"]
        context[prefix + "image/height"].int64_list.value[:] = [images.shape[1]]
        context[prefix + "image/width"].int64_list.value[:] = [images.shape[2]]
        context[prefix + "image/channels"].int64_list.value[:] = [3]
        context[prefix + "image/frame_rate"].float_list.value[:] = [25.0]
        lists = example.feature_lists.feature_list
        for number, image in enumerate(images):
            jpeg = tf.io.encode_jpeg(image, quality=100).numpy()
            feature = lists[prefix + "image/encoded"].feature.add()
            feature.bytes_list.value[:] = [jpeg]
            feature = lists[prefix + "image/timestamp"].feature.add()
            feature.int64_list.value[:] = [number * 40_000]
    return example.SerializeToString()


def test_mediapipes_own_records_are_read():
    frames = moving_frames()
    wanted = np.full((4, *SIZE, 2), [3.0, -1.5], np.float32)
    example = mediasequence.parse_example(mediapipe_example(frames, wanted))
    assert example[:6] == (
        *("abcdefghijk_7", "abcdefghijk", "train"),
        *(("abseiling",), (0,), 25.0),
    )
    rgb = image_coding.decode_images(example.rgb)
    assert np.abs(rgb.astype(int) - frames).mean() < 2
    received = optical_flow.decode_flow(image_coding.decode_images(example.flow))
    np.testing.assert_allclose(received, wanted, atol=0.5)  # JPEG mixes channels.


@pytest.mark.parametrize(
    ("image_format", "tolerance"), [("png", 0.0785), ("jpeg", 0.5)]
)
def test_zero_flow_comes_back(image_format, tolerance):
    coding = Coding(flow_format=image_format)
    zeros = np.zeros((1, *SIZE, 2), np.float32)
    example = mediasequence.parse_example(make(moving_frames(2), zeros, coding))
    received = optical_flow.decode_flow(image_coding.decode_images(example.flow))
    assert np.abs(received).max() <= tolerance


def test_png_flow_is_the_code_itself():
    displacement = np.random.default_rng(0).normal(0, 9, (3, *SIZE, 2))
    example = mediasequence.parse_example(make(moving_frames(4), displacement))
    images = image_coding.decode_images(example.flow)
    np.testing.assert_array_equal(images, optical_flow.encode_flow(displacement))
    clipped = np.clip(displacement, -20, 20)
    np.testing.assert_allclose(optical_flow.decode_flow(images), clipped, atol=0.157)


def test_png_frames_come_back_exactly():
    frames = moving_frames()
    example = mediasequence.parse_example(make(frames, coding=Coding("png")))
    np.testing.assert_array_equal(image_coding.decode_images(example.rgb), frames)
    assert example.flow == []


def test_jpeg_quality_is_used():
    sizes = [len(make(moving_frames(), coding=Coding(rgb_quality=q))) for q in (20, 95)]
    assert sizes[0] < 0.6 * sizes[1]


def test_a_clip_without_a_label():
    clip = Clip("a.mp4", split="test")
    example = mediasequence.parse_example(make(moving_frames(2), clip=clip))
    assert (example.labels, example.indices, example.index) == ((), (), -1)


@pytest.mark.parametrize(
    ("serialized", "message"),
    [
        (b"\xff\xff no record", "not a SequenceExample"),
        (b"", "has no frames: its feature list image/encoded is empty"),
    ],
    ids=["noise", "empty"],
)
def test_what_is_no_record(serialized, message):
    with pytest.raises(ValueError, match=message):
        mediasequence.parse_example(serialized)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([b""], "Image 0 of the record cannot be decoded"),
        ([b"no image"], "Image 0 of the record cannot be decoded"),
        ("sizes", "Image 1 of the record is 32x48, the first is 64x48"),
    ],
    ids=["empty", "noise", "sizes"],
)
def test_damaged_images(images, message):
    if images == "sizes":
        frames = brightness_frames(2)
        images = image_coding.encode_rgb([frames[0], frames[1][:, :32]], Coding())
    with pytest.raises(ValueError, match=message):
        image_coding.decode_images(images)


def test_an_image_of_absurd_size():
    """OpenCV raises an error of its own."""
    content = bytearray(image_coding.encode_rgb(moving_frames(1), Coding("png"))[0])
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    with pytest.raises(ValueError, match="Image 0 of the record cannot be decoded"):
        image_coding.decode_images([bytes(content)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rgb_format": "gif"}, "coded as jpeg or png. Received: 'gif'"),
        ({"flow_quality": 101}, "JPEG quality is 1 to 100. Received: 101"),
    ],
)
def test_bad_coding(arguments, message):
    with pytest.raises(ValueError, match=message):
        Coding(**arguments)
