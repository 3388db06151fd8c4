r"""Times TV-L1 flow with one thread and with more.

  python benchmarks/flow.py
  python benchmarks/flow.py --video=clip.mp4 --threads=4

OpenCV's own threads are off for the row of one thread, as they would be a second one.
"""

import statistics
import time

import cv2
import numpy as np
from absl import app, flags
from tqdm import tqdm

from kinetics_i3d_tf2 import flow, transforms, video

VIDEO = flags.DEFINE_string("video", None, "Video to take frames from.")
PAIRS = flags.DEFINE_integer("pairs", 16, "Frame pairs of a run.", 1)
THREADS = flags.DEFINE_integer("threads", 2, "Threads to compare one with.", 2)
REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each.", 1)


def main(_):
    """Prints seconds a pair and the ratio."""
    frames = read_frames(PAIRS.value + 1)
    times = {1: [], THREADS.value: []}
    for _ in tqdm(range(REPEATS.value), leave=False):
        for threads, seconds in times.items():
            cv2.setNumThreads(1 if threads == 1 else -1)
            start = time.perf_counter()
            flow.optical_flow(frames, num_threads=threads)
            seconds.append((time.perf_counter() - start) / PAIRS.value)
    height, width = frames.shape[1:3]
    print(f"TV-L1, {width}x{height}, {PAIRS.value} pairs, OpenCV {cv2.__version__}")
    for threads, seconds in times.items():
        print(f"{threads} threads: {statistics.median(seconds):.3f} s a pair")
    ratio = np.median(np.divide(times[1], times[THREADS.value]))
    print(f"{THREADS.value} threads are {ratio:.2f} times one thread")


def read_frames(count):
    """Frames of --video, or a texture that moves."""
    if VIDEO.value:
        frames = video.read_video(VIDEO.value, max_frames=count)
        return transforms.center_crop(transforms.resize_short_side(frames))
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (300, 300, 3)), (0, 0), 3)
    texture = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.stack(
        [texture[i % 70 : i % 70 + 224, i % 50 : i % 50 + 224] for i in range(count)]
    )


if __name__ == "__main__":
    app.run(main)
