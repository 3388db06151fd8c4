"""Clips spread over record files, and record files written one by one."""

import numpy as np
import tensorflow as tf
from videos import brightness_frames, write_folder, write_video

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import (
    image_coding,
    mediasequence,
    shards,
    tfrecord,
)
from kinetics_i3d_tf2.data.records import outcomes as outcome_lists
from kinetics_i3d_tf2.video import optical_flow

RGB = shards.Settings(has_flow=False, short_side=36)


def test_a_span_is_cut_out_and_resampled(tmp_path):
    frames = brightness_frames(60, (48, 36), step=4)
    path = write_video(
        tmp_path / "a.mkv", frames, rate=50, codec="ffv1", pixel_format="bgr0"
    )
    clip = Clip(str(path), "a", 0, start=0.2, end=0.6)
    settings = shards.Settings(False, 36, image_coding.Coding("png"))
    serialized, num_frames = shards.encode_clip(clip, settings)
    images = image_coding.decode_images(mediasequence.parse_example(serialized).rgb)
    assert num_frames == len(images) == 10
    np.testing.assert_array_equal(images, frames[10:30:2])


def test_flow_is_that_of_the_resized_frames(tmp_path):
    """More frames than are worked on at a time, against one call over all."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (20, 36, 120, 3), dtype=np.uint8)[0]
    frames = np.stack([texture[:, i : i + 48] for i in range(40)])
    path = write_video(tmp_path / "a.mkv", frames, codec="ffv1", pixel_format="bgr0")
    settings = shards.Settings(True, 36, image_coding.Coding("png"))
    serialized, _ = shards.encode_clip(Clip(str(path), "a", 0), settings)
    example = mediasequence.parse_example(serialized)
    received = image_coding.decode_images(example.flow)
    wanted = optical_flow.encode_flow(optical_flow.optical_flow(frames))
    np.testing.assert_array_equal(received, wanted)


def test_shards_hold_every_clip_once():
    clips = [Clip(f"{n}.mp4") for n in range(23)]
    plan = shards.plan("out", "train", clips, 5)
    assert list(plan) == [f"out/train-{n:05d}-of-00005" for n in range(5)]
    assert sorted(clip for part in plan.values() for clip in part) == sorted(clips)
    assert max(map(len, plan.values())) - min(map(len, plan.values())) <= 1
    assert plan == shards.plan("out", "train", clips, 5)


def test_workers_in_other_folders_read_relative_paths(tmp_path, monkeypatch):
    write_folder(tmp_path / "videos", 1)
    monkeypatch.chdir(tmp_path)
    clips = [Clip("videos/a/0.mkv", "a", 0), Clip("videos/none.mkv", "a", 0)]
    plan = shards.plan(str(tmp_path / "out"), "train", clips, 1)
    shards.write_plan(plan)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    (path,) = plan
    shards.write_shard(path, RGB, folder=tmp_path)
    (record,) = tfrecord.find_records([path])
    content = tfrecord.read_record(record)
    assert content == shards.encode_clip(clips[0], RGB, folder=tmp_path)[0]
    # The path as it was named.
    assert b"videos/a/0.mkv" in content and bytes(tmp_path) not in content
    outcomes = outcome_lists.read_outcomes([path])[path]
    assert {o.path: o.reason for o in outcomes} == {
        "videos/a/0.mkv": "",
        "videos/none.mkv": "there is no such video file",
    }


def test_tensorflows_own_reader_reads_the_files(tmp_path):
    folder = write_folder(tmp_path / "videos", 1)
    clips = [Clip(str(folder / "a" / "0.mkv"), "a", 0)]
    plan = shards.plan(str(tmp_path), "train", clips, 1)
    shards.write_plan(plan)
    for path in plan:
        shards.write_shard(path, shards.Settings(short_side=36))
    (serialized,) = tf.data.TFRecordDataset(list(plan))
    example = tf.train.SequenceExample.FromString(serialized.numpy())
    assert len(example.feature_lists.feature_list["image/encoded"].feature) == 4
