"""Limits on single videos and records, and errors of one input among many."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from record_files import write_records
from videos import brightness_frames, thin_gif, write_images, write_video

from kinetics_i3d_tf2.data import clip_reader, prefetch
from kinetics_i3d_tf2.data.clip_frames import iter_frames
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.frame_reader import FrameReader
from kinetics_i3d_tf2.data.read_options import ReadOptions
from kinetics_i3d_tf2.data.records import image_coding, shards, tfrecord
from kinetics_i3d_tf2.data.tf_data import pipeline
from kinetics_i3d_tf2.inference.frames import read_frames
from kinetics_i3d_tf2.utils.errors import problem_of

SIZE = {"short_side": 36, "crop_size": 24}


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    return Clip(str(thin_gif(tmp_path_factory.mktemp("thin") / "thin.gif")), "a", 0)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Sixty frames, resized to 36x48 pixels of 3 bytes."""
    path = tmp_path_factory.mktemp("long") / "long.mkv"
    frames = brightness_frames(60, (48, 36))
    return Clip(str(write_video(path, frames, codec="ffv1")), "a", 0)


LONG_SIDE = "its frames of 4x8000 pixels would be resized to 256x512000, above max_long"


@pytest.mark.parametrize(
    "read",
    [
        lambda clip: list(FrameReader().read(clip)),
        lambda clip: read_frames(clip.path),
        lambda clip: clip_reader.whole_clip(clip, ClipRecipe()),
        lambda clip: clip_reader.training_sample(
            clip, ClipRecipe(), np.random.default_rng(0)
        ),
        lambda clip: shards.encode_clip(clip, shards.Settings(has_flow=False)),
    ],
    ids=["features", "classify", "evaluation", "training", "records"],
)
def test_thin_videos_are_refused(thin, read):
    with pytest.raises(ValueError, match=f"thin.gif: {LONG_SIDE}"):
        read(thin)


def test_a_thin_video_ends_nothing_but_itself(thin, long):
    clips = [thin, long]
    found = list(prefetch.read_in_order(clips, ClipRecipe(**SIZE), [0, 1]))
    assert LONG_SIDE.replace("256x512000", "36x72000") in found[0].error
    assert found[1].streams["rgb"].shape == (60, 36, 48, 3)
    recipe = ClipRecipe(num_frames=8, max_damaged=0.5, **SIZE)
    batches = pipeline.for_training(clips, recipe, batch_size=2, seed=0)
    for batch, _ in batches.take(2):
        assert batch.shape == (2, 8, 24, 24, 3)
    assert len(list(pipeline.for_evaluation(clips, recipe))) == 1


def test_thin_videos_are_read_where_the_limit_allows_it(thin):
    reading = ReadOptions(max_long_side=1 << 17)
    recipe = ClipRecipe(short_side=16, crop_size=16, reading=reading)
    streams, _ = clip_reader.whole_clip(thin, recipe)
    assert streams["rgb"].shape == (2, 32000, 16, 3)


@pytest.mark.parametrize("has_flow", [False, True], ids=["rgb", "flow"])
def test_whole_clips_are_limited_in_bytes(long, has_flow):
    pixels = 36 * 48 * (11 if has_flow else 3)
    stream = "joint" if has_flow else "rgb"
    for frames in (59, 60):
        reading = ReadOptions(max_clip_bytes=pixels * frames)
        recipe = ClipRecipe(stream, reading=reading, **SIZE)
        images = iter_frames(long.path, recipe)
        if frames == 60:
            assert len(list(images)) == 60
            continue
        with pytest.raises(ValueError, match="long.mkv: has more than the 59 frames"):
            list(images)
        assert len(list(iter_frames(long.path, recipe, max_frames=60))) == 60
        assert len(list(iter_frames(long.path, recipe, holds_all=False))) == 60


def test_records_are_limited_as_they_are_coded(long):
    reading = ReadOptions(max_clip_bytes=10_000)
    settings = shards.Settings(has_flow=False, reading=reading)
    with pytest.raises(ValueError, match=r"has more than the \d+ frames"):
        shards.encode_clip(long, settings)


def test_records_are_checked_before_memory_is_taken(long, tmp_path):
    (record,) = write_records(tmp_path / "x-00000-of-00001", [long], has_flow=False)
    reading = ReadOptions(max_clip_bytes=36 * 48 * 3 * 59)
    recipe = ClipRecipe(reading=reading, **SIZE)
    with pytest.raises(ValueError, match="has more than the 59 frames"):
        clip_reader.whole_clip(record, recipe)
    reading = ReadOptions(max_long_side=47)
    with pytest.raises(ValueError, match="would be resized to 48x36, above max_long_s"):
        clip_reader.whole_clip(record, ClipRecipe(reading=reading, **SIZE))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(48, 36), (300, 1)], ids=str)
def test_sizes_in_headers_of_images(suffix, size):
    image = np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)
    content = cv2.imencode(suffix, image)[1].tobytes()
    assert image_coding.image_size(content) == size
    assert image_coding.image_size(content[:12]) is None
    assert image_coding.image_size(b"no image") is None


def test_images_that_claim_to_be_huge_are_refused():
    image = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    huge = image[:16] + (30_000).to_bytes(4, "big") * 2 + image[24:]
    with pytest.raises(ValueError, match="Image 0 of the record cannot be decoded"):
        image_coding.decode_images([huge])


def write_record(path, *, count, rate=None, timestamps=None):
    """A record of MediaPipe's form with images whose brightness tells their number."""
    example = tf.train.SequenceExample()
    if rate is not None:
        rates = example.context.feature["image/frame_rate"].float_list.value
        rates.append(rate)
    lists = example.feature_lists.feature_list
    for number, image in enumerate(brightness_frames(count, (48, 36))):
        content = image_coding.encode_rgb([image], image_coding.Coding("png"))[0]
        feature = lists["image/encoded"].feature.add()
        feature.bytes_list.value.append(content)
        if timestamps is not None:
            feature = lists["image/timestamp"].feature.add()
            feature.int64_list.value.append(round(number * timestamps))
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())
    (record,) = tfrecord.find_records([path])
    return record


@pytest.mark.parametrize(
    ("options", "fps", "expected"),
    [
        ({"rate": 5}, 25, [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]),
        ({"timestamps": 200_000}, 25, [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]),
        ({"rate": 50}, 25, [0, 2, 4, 6, 8]),
        ({"rate": 25}, 25, list(range(10))),
        ({}, 25, list(range(10))),
        ({"rate": 5}, 5, list(range(10))),
    ],
    ids=["5", "times", "50", "25", "none", "as-stored"],
)
def test_records_are_sampled_by_their_own_rate(tmp_path, options, fps, expected):
    record = write_record(tmp_path / "x-00000-of-00001", count=10, **options)
    frames = list(FrameReader(ClipRecipe(**SIZE), fps).read(record))
    received = [round(frame["rgb"].mean() / 5) for frame in frames]
    assert received[:15] == expected


def test_records_of_another_rate_are_sampled_as_their_video(tmp_path):
    frames = brightness_frames(40, (48, 36))
    video = write_video(tmp_path / "a.mkv", frames, rate=30, codec="ffv1")
    record = write_record(tmp_path / "x-00000-of-00001", count=40, rate=30)
    reader = FrameReader(ClipRecipe(**SIZE))
    of_video, of_record = (
        [round(frame["rgb"].mean() / 5) for frame in reader.read(source)]
        for source in (Clip(str(video)), record)
    )
    assert of_record == of_video


@pytest.mark.parametrize("rate", [1e-4, -5.0, float("nan"), float("inf")])
def test_records_of_an_impossible_rate(tmp_path, rate):
    record = write_record(tmp_path / "x-00000-of-00001", count=2, rate=rate)
    with pytest.raises(ValueError, match="the record has a frame rate of"):
        clip_reader.whole_clip(record, ClipRecipe(**SIZE))


def test_flow_of_records_is_motion_to_the_next_tick():
    from kinetics_i3d_tf2.video.transforms import resize_coded_flow

    code = np.full((1, 16, 16, 2), 127.5 + 10, np.float32).round().astype(np.uint8)
    faster = resize_coded_flow(code, 16, frames=2.0)
    np.testing.assert_allclose(faster - 127.5, (code - 127.5) * 2, atol=1)


def test_folders_of_images_have_the_rate_of_the_recipe(tmp_path):
    folder = write_images(tmp_path / "clip", brightness_frames(10, (48, 36)))
    recipe = ClipRecipe(reading=ReadOptions(image_fps=5), **SIZE)
    streams, _ = clip_reader.whole_clip(Clip(str(folder)), recipe)
    assert len(streams["rgb"]) == 50


class NoMemory(Exception):
    code = -4  # As cv2.error has it.


class ResourceExhaustedError(Exception):
    error_code = 8  # As tf.errors has it.


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (ValueError("broken"), True),
        (KeyError("any"), True),
        (NoMemory("Failed to allocate 25000000000 bytes"), True),
        (NoMemory("Failed to allocate 1000000 bytes"), False),
        (ResourceExhaustedError("OOM when allocating tensor"), False),
        (MemoryError(), False),
    ],
    ids=["value", "any", "opencv-huge", "opencv", "tensorflow", "machine"],
)
def test_memory_of_the_machine_is_no_fault_of_an_input(error, is_fault):
    if is_fault:
        assert problem_of(error, "a.mp4")
        return
    with pytest.raises(MemoryError, match="a.mp4: memory ran out .*--num_readers"):
        problem_of(error, "a.mp4")


def test_numpy_says_how_much_was_wanted():
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 50, np.uint8)
    assert "Unable to allocate" in problem_of(caught.value, "a.mp4")


@pytest.mark.parametrize(
    "options",
    [{"max_damaged_frames": 1.5}, {"max_long_side": 0}, {"image_fps": 0}],
    ids=str,
)
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ReadOptions(**options)
