r"""Times training steps of the RGB stream, and prints what they are worth.

  python benchmarks/training.py
  python benchmarks/training.py --batch_size=4 --num_frames=64

For each dtype: median seconds of a step on a batch that is already there, clips a
second, the rate of the arithmetic of the convolutions' forward and backward passes,
that as a share of this machine's own rate for a large matrix product of the same dtype
(from the same run), and the peak memory of a process that only does this. Then the same
step on batches out of video files, and the pipeline's share of it. Variants take turns,
so that a machine whose speed drifts is fair to all.
"""

import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from arithmetic import matmul_rate, multiply_adds
from made_videos import make_videos
from tqdm import tqdm

BATCH_SIZE = flags.DEFINE_integer("batch_size", 2, "Clips a step.", 1)
REPEATS = flags.DEFINE_integer("repeats", 7, "Timed steps of each variant.", 1)
MEMORY_OF = flags.DEFINE_string("memory_of", None, "Only run this variant once.")
NUM_FRAMES = flags.DEFINE_integer("num_frames", 16, "Frames of a clip.", 9)

DTYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}


def main(_):
    """Prints the table."""
    if MEMORY_OF.value:
        step = make_step(MEMORY_OF.value)
        for _ in range(2):
            step(batch_of())
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    # First, because a child's peak counts from its parent's size when it was started.
    peaks = {dtype: peak_memory(dtype) for dtype in tqdm(DTYPES, "memory", leave=False)}
    steps = {dtype: make_step(dtype) for dtype in DTYPES}
    batch = batch_of()
    with tempfile.TemporaryDirectory() as folder:
        batches = pipeline_batches(Path(folder))
        for _ in range(2):  # The first step traces, the second still allocates.
            for step in steps.values():
                step(batch)
                step(next(batches))
        times, rates = measure(steps, batch, batches)
    report(times, rates, peaks)


def measure(steps, batch, batches):
    """Seconds of steps by (dtype, "ready" or "video"), and rates of matrix products."""
    times = {key: [] for key in itertools.product(steps, ("ready", "video"))}
    rates = {dtype: [] for dtype in steps}
    for _ in tqdm(range(REPEATS.value), "Steps", leave=False):
        for dtype, step in steps.items():
            start = time.perf_counter()
            step(batch)
            times[dtype, "ready"].append(time.perf_counter() - start)
            rates[dtype].append(matmul_rate(DTYPES[dtype]))
        for dtype, step in steps.items():
            # Two, of which the second finds the pipeline at work beside a step.
            for _ in range(2):
                start = time.perf_counter()
                step(next(batches))
            times[dtype, "video"].append(time.perf_counter() - start)
    return times, rates


def report(times, rates, peaks):
    """Prints the figures."""
    frames, size = NUM_FRAMES.value, BATCH_SIZE.value
    # Backward: the gradient of each kernel, and of each input but the clip itself.
    first = 7**3 * 3 * 64 * -(-frames // 2) * 112**2
    operations = 2 * size * (3 * multiply_adds(frames) - first)
    print(
        f"\n{size} clips of {frames} frames, {operations / 2e9:.0f} G multiply-adds a "
        "step, forward and backward\n"
        "                seconds  clips/s  GFLOP/s  of matmul  peak MiB  from video  "
        "pipeline's share"
    )
    for dtype in DTYPES:
        ready = statistics.median(times[dtype, "ready"])
        video = statistics.median(times[dtype, "video"])
        rate = operations / ready
        share = rate / statistics.median(rates[dtype])
        print(
            f"{dtype:14}{ready:9.3f}{size / ready:9.2f}{rate / 1e9:9.0f}{share:11.0%}"
            f"{peaks[dtype] / 2**10:10.0f}{video:12.3f}"
            f"{max(0, 1 - ready / video):18.0%}"
        )
    exact, fast = (times[dtype, "ready"] for dtype in DTYPES)
    ratio = statistics.median(np.divide(exact, fast))
    products = statistics.median(np.divide(rates["mixed_bfloat16"], rates["float32"]))
    print(
        f"mixed_bfloat16: {ratio:.2f} times faster than float32 (a large matrix "
        f"product: {products:.2f} times)"
    )


def make_step(dtype):
    """Function that takes a batch and changes a model's weights by it."""
    from kinetics_i3d_tf2.training import build
    from kinetics_i3d_tf2.training.recipes import RECIPES

    recipe = RECIPES["paper_scratch"]
    model = build.build_model(recipe, 400, dtype=dtype)
    trainer = build.make_trainer(model, recipe, dtype=dtype)
    trainer.make_train_function()

    def step(batch):
        logs = trainer.train_function([batch])
        return float(logs["loss"])  # Waits for the step to end.

    return step


def batch_of():
    """Random clips and labels."""
    import tensorflow as tf

    size = (BATCH_SIZE.value, NUM_FRAMES.value, 224, 224, 3)
    rng = np.random.default_rng(0)
    clip = rng.uniform(-1, 1, size).astype(np.float32)
    return tf.constant(clip), tf.constant(rng.integers(0, 400, size[0]))


def pipeline_batches(folder):
    """Endless batches out of drawn videos of ten seconds."""
    from kinetics_i3d_tf2 import for_training
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
    from kinetics_i3d_tf2.data.clips import Clip

    clips = [Clip(path, "", n) for n, path in enumerate(make_videos(folder, 8))]
    recipe = ClipRecipe(num_frames=NUM_FRAMES.value)
    return iter(for_training(clips, recipe, batch_size=BATCH_SIZE.value, seed=0))


def peak_memory(dtype):
    """Peak resident KiB of a process of its own."""
    done = subprocess.run(
        [
            sys.executable, __file__, f"--memory_of={dtype}",
            f"--batch_size={BATCH_SIZE.value}", f"--num_frames={NUM_FRAMES.value}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )  # fmt: skip
    return int(done.stdout)


if __name__ == "__main__":
    app.run(main)
