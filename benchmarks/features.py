r"""Times extraction of features and FVD beside the bare model, and their memory.

  python benchmarks/features.py [--part=features,memory,fvd] [--minutes=2]

features: one long video (H.264, 340x256, 25 frames a second) through what
i3d features calls, beside the model alone on as many batches of the
same windows. memory: what is resident in the course of an hour of video (with a narrow
model, as only its reading counts). fvd: two sets of --videos clips of 16 frames.
"""

import functools
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from made_videos import scene, write_video

from kinetics_i3d_tf2 import InceptionI3d, Windows
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.frame_reader import FrameReader
from kinetics_i3d_tf2.features import video_sets
from kinetics_i3d_tf2.features.extractor import make_extractor
from kinetics_i3d_tf2.features.frechet import frechet_distance
from kinetics_i3d_tf2.features.fvd import gaussian_of
from kinetics_i3d_tf2.features.window_features import extract_all
from kinetics_i3d_tf2.utils.cores import num_cores

_PART = flags.DEFINE_list("part", ["features", "memory", "fvd"], "What is timed.")
_MINUTES = flags.DEFINE_float("minutes", 2, "Length of the video of `features`.")
_VIDEOS = flags.DEFINE_integer("videos", 256, "Clips of each set of `fvd`.")
_BATCH = 4


def main(argv):
    del argv
    with tempfile.TemporaryDirectory() as folder:
        for part in _PART.value:
            {"features": features, "memory": memory, "fvd": fvd}[part](Path(folder))


def features(folder):
    path = folder / "long.mp4"
    write_video(path, scene(250, 0), "libx264", round(_MINUTES.value * 6))
    extract = make_extractor({"rgb": InceptionI3d()})
    for windows in (Windows(16), Windows(64), Windows(64, 32)):
        clip = {"rgb": np.zeros((_BATCH, windows.length, 224, 224, 3), np.uint8)}
        extract(clip)  # Kernels are chosen for a shape when it is first seen.
        start = time.perf_counter()
        results = extract_all(
            [Clip(str(path))], extract, windows, FrameReader(), batch_size=_BATCH
        )
        (found,) = results
        whole = time.perf_counter() - start
        count = len(found.values)
        start = time.perf_counter()
        for _ in range(round(count / _BATCH)):
            extract(clip)
        bare = (time.perf_counter() - start) / (round(count / _BATCH) * _BATCH) * count
        print(
            f"windows of {windows.length} frames, {windows.step} apart, batches of "
            f"{_BATCH}: {count / whole:.2f} windows/s, bare model "
            f"{count / bare:.2f}: {bare / whole:.2f} of it",
            flush=True,
        )


def memory(folder):
    path = folder / "hour.mp4"
    write_video(path, scene(250, 0), "libx264", 360)
    extract = make_extractor({"rgb": InceptionI3d(width=1 / 16)})
    extract({"rgb": np.zeros((_BATCH, 16, 224, 224, 3), np.uint8)})
    before, seen = _resident(), []
    marks = [round(5625 * minute / 60) for minute in (1, 10, 20, 30, 40, 50, 60)]

    def note():
        seen.append(None)
        if len(seen) in marks:
            minute = len(seen) * 16 / 25 / 60
            print(
                f"minute {minute:.0f}: {_resident() - before:+.0f} MiB resident above "
                f"the model's {before:.0f}",
                flush=True,
            )

    results = extract_all(
        [Clip(str(path))],
        extract,
        Windows(16),
        FrameReader(),
        batch_size=_BATCH,
        on_window=note,
    )
    (found,) = results
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(found.values)} windows; at most {most - before:.0f} MiB above the model"
    )


def fvd(folder):
    sets = []
    for name in ("real", "fake"):
        (folder / name).mkdir()
        for number in range(_VIDEOS.value):
            frames = scene(16, len(sets) * _VIDEOS.value + number)
            write_video(folder / name / f"{number}.mp4", frames, "libx264")
        sets.append(video_sets.find(folder / name))
    extract = make_extractor({"rgb": InceptionI3d()}, endpoint="Logits")
    batch = {"rgb": np.zeros((8, 16, 224, 224, 3), np.float32)}
    extract(batch)
    start = time.perf_counter()
    measure = functools.partial(gaussian_of, threads=num_cores(), batch_size=8)
    gaussians = [measure(videos, extract)[0] for videos in sets]
    distance = frechet_distance(*gaussians)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(len(sets) * _VIDEOS.value // 8):
        extract(batch)
    bare = time.perf_counter() - start
    print(
        f"FVD of 2 x {_VIDEOS.value} clips of 16 frames: {whole:.1f} s, bare model "
        f"{bare:.1f} s: {whole / bare:.2f} times it (random weights: {distance:.4g})"
    )


def _resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    app.run(main)
