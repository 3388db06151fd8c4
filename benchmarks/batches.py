"""Batches of training clips, and records to read them from."""

import time

from tqdm import tqdm

from kinetics_i3d_tf2.data.records import image_coding, mediasequence
from kinetics_i3d_tf2.video import optical_flow, reader, transforms

BATCH = 4
FRAMES = 64


def clip_rate(sources, recipe, batches=20):
    """Clips a second of training batches, after some to warm up."""
    from kinetics_i3d_tf2.data.tf_data import pipeline

    dataset = pipeline.for_training(sources, recipe, batch_size=BATCH, seed=0)
    iterator = iter(dataset)
    # As many as it keeps ready, which would be taken for speed.
    for _ in range(6):
        next(iterator)
    start = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return batches * BATCH / (time.perf_counter() - start)


def write_records(path, clips, flow_format):
    """Records of whole videos; one computed flow frame stands for all of a clip."""
    import tensorflow as tf

    coding = image_coding.Coding(flow_format=flow_format)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for clip in tqdm(clips, "Making records", leave=False):
            frames = transforms.resize_short_side(reader.read_video(clip.path))
            (displacement,) = optical_flow.optical_flow(frames[:2])
            images = image_coding.encode_flow([displacement], coding)
            writer.write(
                mediasequence.make_example(
                    clip,
                    image_coding.encode_rgb(frames, coding),
                    images * (len(frames) - 1),
                    coding=coding,
                    size=frames.shape[1:3],
                    frame_rate=reader.FRAME_RATE,
                )
            )
