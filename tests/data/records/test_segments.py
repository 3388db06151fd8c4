"""Labels with times in records, as MediaSequence keeps them: as segments."""

import numpy as np
import pytest
import tensorflow as tf
from record_files import write_records
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import clip_reader
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.data.records import mediasequence, shards
from kinetics_i3d_tf2.data.records.tfrecord import find_records, read_record
from kinetics_i3d_tf2.data.targets import Targets

INTERVALS = (
    Interval("sit", 0.4, 0.812345, 2),
    Interval("wave", None, None, 1),
    Interval("sit", 0.9, None, 2),
    Interval("jump", 1.0, 99.0, 0),
    Interval("late", 50.0, 99.0, 3),
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "a.mkv"
    write_video(path, brightness_frames(40, (48, 36)), codec="ffv1")
    return Clip(str(path), intervals=INTERVALS)


def written(clip, folder, **settings):
    (record,) = write_records(folder / "r.tfrecord", [clip], **settings)
    return record, mediasequence.parse_example(read_record(record))


def test_keys_are_mediasequences(clip, tmp_path):
    record, _ = written(clip, tmp_path, has_flow=False)
    example = tf.train.SequenceExample.FromString(read_record(record))
    context = example.context.feature

    def values(key):
        feature = context[key]
        return [*feature.bytes_list.value, *feature.int64_list.value]

    # The video is 1.6 seconds long: later ends are its end, later starts left out.
    assert values("segment/start/timestamp") == [400_000, 900_000, 1_000_000]
    assert values("segment/end/timestamp") == [812_345, 1_600_000, 1_600_000]
    assert values("segment/label/index") == [2, 2, 0]
    assert values("segment/label/string") == [b"sit", b"sit", b"jump"]
    assert values("clip/label/string") == [b"wave"]
    assert values("clip/label/index") == [1]


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), (0.48, 1.4)], ids=["video", "span"]
)
def test_targets_of_records_are_those_of_videos(clip, tmp_path, start, end):
    clip = clip._replace(start=start, end=end)
    record, example = written(clip, tmp_path, has_flow=False)
    assert example.index == -1
    recipe = ClipRecipe(
        num_frames=8, short_side=36, crop_size=24, targets=Targets(4, "dense")
    )
    of_video, of_record = (
        clip_reader.whole_clip(source, recipe)[1] for source in (clip, record)
    )
    assert of_video.any(axis=0).tolist() == [True, True, True, False]
    np.testing.assert_array_equal(of_video, of_record)


def test_several_labels_without_times(clip, tmp_path):
    labels = (Interval("sit", index=2), Interval("wave", index=1))
    _, example = written(clip._replace(intervals=labels), tmp_path, has_flow=False)
    assert example.intervals == labels
    assert example.segments == () and example.index == -1


def test_a_record_of_one_label_is_as_before(clip, tmp_path):
    one = clip._replace(label="sit", index=2, intervals=())
    _, example = written(one, tmp_path, has_flow=False)
    assert (example.index, example.labels) == (2, ("sit",))
    assert example.intervals == (Interval("sit", index=2),)


def test_damaged_segments_are_named(clip, tmp_path):
    record, _ = written(clip, tmp_path, has_flow=False)
    example = tf.train.SequenceExample.FromString(read_record(record))
    del example.context.feature["segment/end/timestamp"]
    with pytest.raises(ValueError, match="3 starts, 0 ends, 3 labels and 3 indices"):
        mediasequence.parse_example(example.SerializeToString())


def test_labels_survive_the_plan_of_a_record_file(clip, tmp_path):
    plan = shards.plan(str(tmp_path), "train", [clip, clip._replace(intervals=())], 1)
    shards.write_plan(plan)
    (path,) = plan
    shards.write_shard(path, shards.Settings(has_flow=False, short_side=36))
    examples = [
        mediasequence.parse_example(read_record(record))
        for record in find_records([path])
    ]
    counts = sorted(len(example.intervals) for example in examples)
    assert counts == [0, len(INTERVALS) - 1]  # One begins after the end.
