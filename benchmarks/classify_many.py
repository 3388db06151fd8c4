r"""Times labels of many videos, of a long one, and of a live one, at full width.

  python benchmarks/classify_many.py --part=many --videos=64
  python benchmarks/classify_many.py --part=long --minutes=60
  python benchmarks/classify_many.py --part=live --minutes=10

many: videos of ten seconds against the bare network on a clip that is in memory (half
of its runs before, half after), and against one process for each video (the start of a
process is measured once). long:
seconds of work and peak memory for a video of 1280x720, at one eighth of its length and
at all of it. live: delay and skipped windows of a source that sends twice the windows
that this machine can answer. Weights are random: figures do not depend on them.
"""

import functools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import made_videos
import numpy as np
from absl import app, flags
from memory import forget_peak, peak_mib
from processor import processor_name
from tqdm import tqdm

PART = flags.DEFINE_enum("part", "many", ["many", "long", "live"], "What is timed.")
VIDEOS = flags.DEFINE_integer("videos", 64, "Videos of part many.", 2)
MINUTES = flags.DEFINE_float("minutes", 10, "Minutes of parts long and live.", 0.1)
WIDTH = flags.DEFINE_float("width", 1.0, "Factor on the number of filters.", 0)

BARE_RUNS = 12  # With 64 videos, both are measured in a quarter of an hour.


def main(_):
    """Prints the figures of a part."""
    print(f"{processor_name()}; width {WIDTH.value:g}, RGB")
    with tempfile.TemporaryDirectory() as folder:
        {"many": many, "long": long, "live": live}[PART.value](Path(folder))


@functools.cache
def classifier():
    from kinetics_i3d_tf2 import Classifier, InceptionI3d, class_names

    model = InceptionI3d(400, width=WIDTH.value)
    return Classifier.of_models({"rgb": model}, class_names())


def many(folder):
    from kinetics_i3d_tf2.data.sources import find
    from kinetics_i3d_tf2.inference.label_tables.table import write_labels

    made_videos.copy_videos(folder, VIDEOS.value)
    clip = {"rgb": np.zeros((1, 250, 224, 224, 3), np.float32)}
    run = functools.partial(classifier().run, clip, ("Logits",), frozen=True)
    run()
    count = max(1, min(BARE_RUNS, VIDEOS.value) // 2)

    def run_bare():
        for _ in tqdm(range(count), "Bare network", leave=False):
            run()

    bare = timed(run_bare)
    inputs = find([str(folder)])
    seconds = timed(lambda: write_labels(classifier(), inputs, folder / "labels.csv"))
    bare += timed(run_bare)
    code = "import kinetics_i3d_tf2 as i3d; i3d.InceptionI3d(); i3d.Classifier"
    start = timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))
    rate, bare_rate = VIDEOS.value / seconds, 2 * count / bare
    print(f"bare network       {bare_rate:7.3f} videos/s")
    print(f"write_labels       {rate:7.3f} videos/s, {rate / bare_rate:.2f} of it")
    alone = 1 / (start + 1 / bare_rate)
    print(f"a process a video  {alone:7.3f} videos/s; write_labels {rate / alone:.2f}")


def long(folder):
    from kinetics_i3d_tf2.data.clips import Clip
    from kinetics_i3d_tf2.inference.over_time import over_time

    frames = made_videos.scene(100, 0, 1280, 720)
    for share in (8, 1):
        length = 60 * MINUTES.value / share
        path = folder / f"{share}.mp4"
        repeats = max(1, round(length / 4))
        made_videos.write_video(path, frames, "libx264", repeats)
        forget_peak()
        windows = []
        seconds = timed(
            lambda path=path, windows=windows: windows.extend(
                scores.seconds for scores in over_time(classifier(), Clip(path), 2.56)
            )
        )
        print(
            f"{4 * repeats:6d} s of video: {len(windows)} windows, "
            f"{seconds / (4 * repeats):.3f} s of work a second, peak {peak_mib():.0f} "
            "MiB"
        )


def live(folder):
    from kinetics_i3d_tf2.inference.live import LiveOptions, classify_live

    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import live_servers

    clip = {"rgb": np.zeros((1, 64, 224, 224, 3), np.float32)}
    run = functools.partial(classifier().run, clip, ("Logits",), frozen=True)
    run()
    inference = min(timed(run) for _ in range(5))
    every = inference / 2
    found = []
    with live_servers.serve(60 * MINUTES.value) as address:
        answers = classify_live(classifier(), address, LiveOptions(every=every))
        stop = time.monotonic() + 60 * MINUTES.value - 5
        for answer in answers:
            found.append(answer)
            if time.monotonic() > stop:
                break
        answers.close()
    delays = np.array([answer.delay for answer in found])
    half = len(delays) // 2
    print(f"network on a window of 2.56 s: {inference:.2f} s; due every {every:.2f} s")
    print(
        f"{len(found)} windows answered, {sum(a.skipped for a in found)} skipped; "
        f"delay median {np.median(delays):.2f}, largest {delays.max():.2f}; first half "
        f"{np.median(delays[:half]):.2f}, second {np.median(delays[half:]):.2f} s"
    )


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
