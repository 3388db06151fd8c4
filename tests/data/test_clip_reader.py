"""Samples out of videos and records, in training and whole."""

import dataclasses

import cv2
import numpy as np
import pytest
from record_files import write_records
from videos import brightness_frames, frame_numbers, write_video

from kinetics_i3d_tf2.data import clip_reader
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.tf_data import pipeline
from kinetics_i3d_tf2.video import transforms

SIZE = 24


def small(model, **changes):
    """The recipe of a model, with small pictures."""
    sizes = {"short_side": 36, "crop_size": SIZE}
    return dataclasses.replace(ClipRecipe.of_model(model), **sizes, **changes)


def numbers_of(frames):
    """Which frames of `brightness_frames` 8-bit frames show."""
    return frame_numbers(transforms.normalize_rgb(frames))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "a.mkv"
    frames = brightness_frames(50, (48, 36))
    return Clip(str(write_video(path, frames, codec="ffv1")), "a", 0)


@pytest.mark.parametrize("seed", range(3))
def test_strided_training_clips(video, seed):
    recipe = small("convnet_lstm", num_frames=35)
    rng = np.random.default_rng(seed)
    streams, _ = clip_reader.training_sample(video, recipe, rng)
    assert streams["rgb"].shape == (7, SIZE, SIZE, 3)
    numbers = numbers_of(streams["rgb"])
    assert (np.diff(numbers) == 5).all()
    assert 0 <= numbers[0] <= 15


def test_strided_training_clips_of_short_videos(video):
    recipe = small("convnet_lstm", num_frames=75)
    rng = np.random.default_rng(0)
    streams, _ = clip_reader.training_sample(video, recipe, rng)
    expected = [*range(0, 50, 5), *range(0, 25, 5)]
    assert numbers_of(streams["rgb"]).tolist() == expected


def test_both_streams_of_a_training_clip(video):
    recipe = small("fused", num_frames=12, rgb_stride=4)
    rng = np.random.default_rng(0)
    streams, _ = clip_reader.training_sample(video, recipe, rng)
    assert streams["rgb"].shape == (3, SIZE, SIZE, 3)
    assert streams["flow"].shape == (12, SIZE, SIZE, 2)


@pytest.fixture(scope="module")
def moving_spot(tmp_path_factory):
    """A bright spot on texture that moves two pixels a frame to the right."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (64, 64)), (0, 0), 1.5)
    ground = cv2.normalize(noise, None, 0, 80, cv2.NORM_MINMAX)
    frames = []
    for index in range(10):
        yy, xx = np.mgrid[:64, :64]
        spot = np.exp(-((xx - 20 - 2 * index) ** 2 + (yy - 30) ** 2) / 30)
        frames.append(np.repeat((ground + 170 * spot)[..., None], 3, -1))
    frames = np.stack(frames).clip(0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("spot") / "spot.mkv"
    return Clip(str(write_video(path, frames, codec="ffv1")), "spot", 0)


def spot_record(clip, folder):
    (record,) = write_records(folder / "spot", [clip], short_side=64)
    return record


@pytest.mark.parametrize("kind", ["video", "record"])
def test_joint_streams_are_cut_and_mirrored_together(moving_spot, kind, tmp_path):
    """Where RGB shows the spot, flow shows its motion, and its sign tells the flip."""
    recipe = ClipRecipe(stream="joint", num_frames=4, short_side=64, crop_size=48)
    source = moving_spot if kind == "video" else spot_record(moving_spot, tmp_path)
    places, signs = set(), set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        streams, _ = clip_reader.training_sample(source, recipe, rng)
        rgb, motion = streams["rgb"][..., 0], streams["flow"]
        motion = motion if kind == "video" else motion / 127.5 - 1 + 0.5 / 127.5
        assert rgb.shape[:3] == motion.shape[:3] == (4, 48, 48)
        for frame, displacement in zip(rgb, motion, strict=True):
            bright = np.unravel_index(frame.argmax(), frame.shape)
            strength = cv2.GaussianBlur(np.abs(displacement[..., 0]), (0, 0), 3)
            moving = np.unravel_index(strength.argmax(), strength.shape)
            # The spot is about eight pixels wide; crops differ by up to 16.
            assert np.abs(np.subtract(bright, moving)).max() <= 8
        columns = [np.unravel_index(f.argmax(), f.shape)[1] for f in rgb]
        direction = np.sign(columns[-1] - columns[0])
        assert direction == np.sign(motion[..., 0].sum())
        signs.add(int(direction))
        places.add(columns[0])
    assert signs == {-1, 1}
    assert len(places) > 5


@pytest.mark.parametrize("kind", ["video", "record"])
def test_short_joint_clips_are_looped_in_step(moving_spot, kind, tmp_path):
    """Ten frames have nine flows; the tenth frame has none, and is not shown."""
    recipe = ClipRecipe("joint", num_frames=20, short_side=64, crop_size=64, flip=False)
    source = moving_spot if kind == "video" else spot_record(moving_spot, tmp_path)
    streams, _ = clip_reader.training_sample(source, recipe, np.random.default_rng(0))
    ((viewed, _),) = pipeline.for_evaluation([source], recipe, views=(1, 1))
    for clips in (streams, {name: clip[0].numpy() for name, clip in viewed.items()}):
        for clip in clips.values():
            assert len(clip) == 20
            np.testing.assert_array_equal(clip[9:18], clip[:9])
            assert (clip[8] != clip[9]).any()


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_spans_of_one_file(videos, stream):
    """Nothing outside of a span is seen."""
    clip = videos[0]._replace(start=0.4, end=0.8)  # frames 10 to 19
    recipe = ClipRecipe(stream, num_frames=4, short_side=36, crop_size=SIZE)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        streams, _ = clip_reader.training_sample(clip, recipe, rng)
        if "rgb" in streams:
            numbers = numbers_of(streams["rgb"])
            assert 10 <= numbers[0] and numbers[-1] <= 19 - (stream == "joint")


@pytest.mark.parametrize(
    ("span", "stream", "message"),
    [
        ((9, None), "rgb", "0.mkv: has too few frames, in its span .* for rgb"),
        ((9, None), "joint", "has too few frames, .* for rgb and flow"),
        ((0, 0.04), "flow", "has too few frames, .* for flow"),
    ],
    ids=["after-the-end", "joint", "one-frame"],
)
def test_spans_without_enough_frames(videos, span, stream, message):
    clip = videos[0]._replace(start=span[0], end=span[1])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=message):
        clip_reader.training_sample(
            clip, ClipRecipe(stream, num_frames=8, short_side=36, crop_size=SIZE), rng
        )


def test_records_give_what_their_videos_give(videos, records):
    """The same draws, the same pixels; flow within its 8-bit code."""
    recipe = ClipRecipe("joint", num_frames=8, short_side=36, crop_size=SIZE)
    for clip, record in zip(videos[:3], records[:3], strict=True):
        pair = [
            clip_reader.training_sample(source, recipe, np.random.default_rng(1))
            for source in (clip, record)
        ]
        (one, label), (other, same_label) = pair
        assert label == same_label
        np.testing.assert_array_equal(one["rgb"], other["rgb"])
        coded = other["flow"] / 127.5 - 1
        np.testing.assert_allclose(one["flow"], coded, atol=0.0079)


@pytest.mark.parametrize("size", [32, 128, 640])
def test_records_of_another_size_are_resized_with_their_flow(
    moving_spot, tmp_path, size
):
    """Things move farther in larger pictures, up to the 20 pixels of the code."""
    record = spot_record(moving_spot, tmp_path)
    clips = {}
    for side in (64, size):
        recipe = ClipRecipe("joint", short_side=side, crop_size=16)
        clips[side], _ = clip_reader.whole_clip(record, recipe)
    assert clips[size]["rgb"].shape == (10, size, size, 3)
    motion = {side: clip["flow"] / 127.5 - 1 for side, clip in clips.items()}
    scaled = (motion[64] * (size / 64)).clip(-1, 1).astype(np.float32)
    expected = transforms.resize_short_side(scaled, size)
    np.testing.assert_allclose(motion[size], expected, atol=0.02)
