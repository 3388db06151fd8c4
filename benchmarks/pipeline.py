r"""Measures the data pipelines and the preparation.

  python benchmarks/pipeline.py --part=video,records,memory   # a minute
  python benchmarks/pipeline.py --part=prepare                # some minutes
  python benchmarks/pipeline.py --videos=DIR

Videos are made (340x256, H.264, 10 s, a textured scene with noise that moves), unless
--videos names a folder. Rates that are compared are measured in turns.
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from absl import app, flags
from batches import BATCH, FRAMES, clip_rate, write_records
from made_videos import make_videos, write_video
from memory import resident_mib
from tqdm import tqdm

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.listings import video_folder
from kinetics_i3d_tf2.data.records import tfrecord
from kinetics_i3d_tf2.models.registry import ARCHITECTURES
from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.video import optical_flow, reader, transforms

PARTS = flags.DEFINE_list(
    "part", ["video", "records", "models", "memory", "prepare"], "Parts."
)
VIDEOS = flags.DEFINE_string("videos", None, "Folder of videos to measure with.")
CLIPS = flags.DEFINE_integer("clips", 8, "Videos to make.", 1)
PROCESSES = flags.DEFINE_integer("processes", 2, "Processes of the bare loop.", 1)
REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each.", 1)
PAIRS = flags.DEFINE_integer("pairs", 12, "Frame pairs a clip to prepare.", 2)


def main(_):
    """Prints the figures of the parts."""
    with tempfile.TemporaryDirectory() as folder:
        if VIDEOS.value:
            paths = video_folder.video_files(VIDEOS.value)
        else:
            paths = make_videos(Path(folder), CLIPS.value)
        clips = [Clip(path, "", n) for n, path in enumerate(paths)]
        size = sum(map(os.path.getsize, paths)) / len(paths) / 1024
        print(f"{len(paths)} videos of {size:.0f} KiB, {os.cpu_count()} processors")
        parts = {
            "video": measure_video,
            "records": measure_records,
            "models": measure_models,
            "memory": measure_memory,
            "prepare": measure_preparation,
        }
        for part in PARTS.value:
            parts[part](clips, Path(folder))


def measure_video(clips, _):
    """Training batches against a loop that only decodes, of the same files."""
    paths = [clip.path for clip in clips]
    names = ("loop", "lean", "decoded", "delivered", "clips", "views")
    rates = {name: [] for name in names}
    for _ in tqdm(range(REPEATS.value), "Video", leave=False):
        with multiprocessing.get_context("spawn").Pool(PROCESSES.value) as pool:
            pool.map(decode, paths[: PROCESSES.value])  # Starts the processes.
            for name, function in (("loop", decode), ("lean", decode_lean)):
                start = time.perf_counter()
                frames = sum(pool.map(function, paths * 4, chunksize=1))
                rates[name].append(frames / (time.perf_counter() - start))
        rate = clip_rate(clips, ClipRecipe(num_frames=FRAMES))
        # A clip begins anywhere, and what is before it must be decoded too.
        length = np.mean([reader.count_frames(path) for path in paths])
        rates["clips"].append(rate)
        rates["delivered"].append(rate * FRAMES)
        rates["decoded"].append(rate * (length + FRAMES) / 2)
        rates["views"].append(view_rate(clips, round(length / FRAMES)) * FRAMES)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    print(
        f"\nbare PyAV loop, {PROCESSES.value} processes, whole files to RGB arrays: "
        f"{middle['loop']:.0f} frames/s ({middle['lean']:.0f} with one converter)"
        f"\nvideo to {FRAMES}-frame RGB batches: {middle['clips']:.1f} clips/s, "
        f"{middle['delivered']:.0f} frames/s delivered, {middle['decoded']:.0f} "
        f"decoded; views of whole videos: {middle['views']:.0f} frames/s delivered"
    )
    for name in ("delivered", "decoded", "views"):
        ratios = [
            statistics.median(np.divide(rates[name], rates[loop]))
            for loop in ("loop", "lean")
        ]
        print(f"{name}: {ratios[0]:.2f} of the loop ({ratios[1]:.2f} of the lean one)")


def measure_records(clips, folder):
    """Training batches from records against those from video."""
    records = {}
    for image_format in ("png", "jpeg"):
        path = folder / f"records_{image_format}"
        write_records(path, clips, image_format)
        records[image_format] = tfrecord.find_records([path])
    cases = {
        "video, rgb": (clips, "rgb"),
        "records, rgb": (records["png"], "rgb"),
        "records, joint, flow as PNG": (records["png"], "joint"),
        "records, joint, flow as JPEG": (records["jpeg"], "joint"),
    }
    rates = {name: [] for name in cases}
    for _ in tqdm(range(REPEATS.value), "Records", leave=False):
        for name, (sources, stream) in cases.items():
            recipe = ClipRecipe(stream, num_frames=FRAMES)
            rates[name].append(clip_rate(sources, recipe))
    print()
    for name, values in rates.items():
        ratio = statistics.median(np.divide(values, rates["video, rgb"]))
        rate = statistics.median(values)
        print(f"{name}: {rate:.1f} clips/s, {ratio:.2f} times video")
    seconds = time.perf_counter()
    frames = reader.read_video(clips[0].path, max_frames=5)
    optical_flow.optical_flow(transforms.resize_short_side(frames))
    seconds = (time.perf_counter() - seconds) / 4 * FRAMES
    print(f"video, joint, flow computed as it goes: {1 / seconds:.3f} clips/s")


def measure_models(clips, folder):
    """Training batches of the clips that each architecture takes, from records."""
    path = folder / "records_models"
    write_records(path, clips, "png")
    records = tfrecord.find_records([path])
    print()
    for kind, row in ARCHITECTURES.items():
        rates = [clip_rate(records, row.clip) for _ in range(REPEATS.value)]
        print(f"records, clips of {kind}: {statistics.median(rates):.1f} clips/s")


def measure_memory(clips, _):
    """Resident memory while 200 clips stream by."""
    from kinetics_i3d_tf2.data.tf_data import pipeline

    recipe = ClipRecipe(num_frames=FRAMES)
    dataset = pipeline.for_training(clips, recipe, batch_size=BATCH, seed=0)
    memory = {}
    for step, _ in enumerate(dataset.take(200 // BATCH), 1):
        memory[step * BATCH] = resident_mib()
    shown = ", ".join(f"{memory[n]:.0f} at clip {n}" for n in (20, 100, 200))
    print(f"\nresident memory in MiB, batches of {BATCH}: {shown}")


def measure_preparation(clips, folder):
    """The program on one core and on two, and TV-L1 alone over the same frames."""
    cut = folder / "prepare" / "a"
    cut.mkdir(parents=True)
    for clip in clips:
        frames = reader.read_video(clip.path, max_frames=PAIRS.value + 1)
        write_video(cut / (files.stem(clip.path) + ".mkv"), frames, "ffv1")
    pairs = PAIRS.value * len(clips)
    bare = prepared = None
    ratios, shares = [], []
    for _ in tqdm(range(REPEATS.value), "Preparation", leave=False):
        bare = bare_flow(clips)
        prepared = {n: preparation_seconds(cut.parent, folder, n) for n in (1, 2)}
        empty = {n: preparation_seconds(None, folder, n) for n in (1, 2)}
        net = {n: prepared[n] - empty[n] for n in (1, 2)}
        ratios.append((prepared[1] / prepared[2], net[1] / net[2]))
        shares.append((bare / prepared[2], bare / net[2]))
    (ratio, net_ratio), (share, net_share) = np.median([ratios, shares], axis=1)
    print(
        f"\npreparation of {len(clips)} clips of {PAIRS.value} pairs: "
        f"{prepared[1]:.1f} s on one core, {prepared[2]:.1f} s on two: {ratio:.2f} "
        f"times; without starting Python, TensorFlow and Beam ({empty[2]:.1f} s) "
        f"{net_ratio:.2f} times"
        f"\nbare TV-L1 on two threads: {pairs / bare:.2f} pairs/s; preparation reaches "
        f"{share:.2f} of that, {net_share:.2f} without the start"
    )


def view_rate(clips, count):
    """Views a second of evaluation batches: every frame of the videos is used."""
    from kinetics_i3d_tf2.data.tf_data import pipeline

    recipe = ClipRecipe(num_frames=FRAMES)
    dataset = pipeline.for_evaluation(
        clips * 6, recipe, views=(count, 1), batch_size=BATCH
    )
    iterator = iter(dataset)
    for _ in range(6):
        next(iterator)
    start = time.perf_counter()
    views = sum(len(label) for _, label in iterator)
    return views / (time.perf_counter() - start)


def decode(path):
    """The loop that everyone writes; returns the number of frames."""
    count = 0
    with av.open(path) as container:
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24")
            count += 1
    return count


def decode_lean(path):
    """The same with one thread, and one converter for all frames."""
    converter = av.video.reformatter.VideoReformatter()
    count = 0
    with av.open(path) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            converter.reformat(frame, format="rgb24").to_ndarray()
            count += 1
    return count


def bare_flow(clips):
    """Seconds of TV-L1 alone over the frames that are prepared."""
    frames = [
        transforms.resize_short_side(
            reader.read_video(clip.path, max_frames=PAIRS.value + 1)
        )
        for clip in clips
    ]
    start = time.perf_counter()
    for clip in frames:
        optical_flow.optical_flow(clip, num_threads=2)
    return time.perf_counter() - start


def preparation_seconds(videos, folder, cores):
    """Seconds of the program; without videos, of one that finds its work done."""
    out = folder / f"out_{cores}"
    if videos is not None:
        subprocess.run(["rm", "-rf", out], check=True)
    command = [sys.executable, "-m", "kinetics_i3d_tf2", "prepare", "--dataset=folder"]
    command += [f"--videos={videos or folder / 'prepare'}", f"--out={out}"]
    command += [f"--direct_num_workers={cores}"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
