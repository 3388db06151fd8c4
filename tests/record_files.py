"""Writes small record files for tests."""

import tensorflow as tf

from kinetics_i3d_tf2.data.records import shards, tfrecord
from kinetics_i3d_tf2.data.records.image_coding import Coding


def write_records(path, clips, short_side=36, **settings):
    """Writes clips to one record file, without loss; returns its records."""
    settings = shards.Settings(short_side=short_side, coding=Coding("png"), **settings)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for clip in clips:
            writer.write(shards.encode_clip(clip, settings)[0])
    return tfrecord.find_records([path])
