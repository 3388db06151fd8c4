r"""Times the forward pass of the RGB stream, and prints what it is worth.

  python benchmarks/forward.py
  python benchmarks/forward.py --frames=79 --repeats=10

Each row: median seconds, arithmetic rate, that rate as a share of this machine's own
rate for a large matrix product of that dtype (from the same run), the time as a ratio
to the first row, and the peak memory of a process that only does this. Runs of the
variants take turns, so that a machine whose speed drifts is fair to all.
"""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from arithmetic import matmul_rate, multiply_adds, plain_model
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

FRAMES = flags.DEFINE_multi_integer("frames", [16, 79, 250], "Lengths of the clip.", 9)
REPEATS = flags.DEFINE_integer("repeats", 7, "Timed runs of each variant.", 1)
MEMORY_OF = flags.DEFINE_string("memory_of", None, "Only run this variant once.")

VARIANTS = {
    "plain Keras float32": "float32",
    "InceptionI3d float32": "float32",
    "folded frozen bfloat16": "bfloat16",
}


def main(_):
    """Prints a table for every length."""
    if MEMORY_OF.value:
        build(MEMORY_OF.value)(clip_of(FRAMES.value[0]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    # First, because a child's peak counts from its parent's size when it was started.
    peaks = {
        (variant, frames): peak_memory(variant, frames)
        for frames in tqdm(FRAMES.value, "memory", leave=False)
        for variant in VARIANTS
    }
    forwards = {variant: build(variant) for variant in VARIANTS}
    for frames in FRAMES.value:
        print_table(frames, forwards, peaks)


def print_table(frames, forwards, peaks):
    """Measures all variants on one length."""
    clip = clip_of(frames)
    operations = 2 * multiply_adds(frames)
    for _ in range(2):  # The first run traces, the second still allocates.
        logits = {variant: np.asarray(forwards[variant](clip)) for variant in VARIANTS}
    times = {variant: [] for variant in VARIANTS}
    matmul = {"float32": [], "bfloat16": []}
    for _ in tqdm(range(REPEATS.value), f"{frames} frames", leave=False):
        for variant in VARIANTS:
            start = time.perf_counter()
            np.asarray(forwards[variant](clip))
            times[variant].append(time.perf_counter() - start)
        for dtype, rates in matmul.items():
            rates.append(matmul_rate(dtype))
    rates = {dtype: statistics.median(values) for dtype, values in matmul.items()}
    print(
        f"\n{frames} frames, {operations / 2e9:.1f} G multiply-adds; large matmul: "
        f"float32 {rates['float32'] / 1e9:.0f} GFLOP/s, "
        f"bfloat16 {rates['bfloat16'] / 1e9:.0f} GFLOP/s"
    )
    print(" " * 26 + "seconds  GFLOP/s  of matmul  ratio  peak MiB")
    first = statistics.median(times["plain Keras float32"])
    for variant, dtype in VARIANTS.items():
        seconds = statistics.median(times[variant])
        rate = operations / seconds
        print(
            f"{variant:24}{seconds:9.3f}{rate / 1e9:9.0f}{rate / rates[dtype]:11.0%}"
            f"{seconds / first:7.2f}{peaks[variant, frames] / 2**10:10.0f}"
        )
    exact, fast = logits["InceptionI3d float32"], logits["folded frozen bfloat16"]
    print(
        f"bfloat16: {np.median(ratios(times)):.2f} times faster than float32; mean "
        f"logit difference {np.abs(fast - exact).mean() / exact.std():.2%} of their "
        f"standard deviation; top-1 {'same' if same_top(exact, fast) else 'differs'}"
    )


def ratios(times):
    """float32 over bfloat16, pair by pair."""
    return np.divide(times["InceptionI3d float32"], times["folded frozen bfloat16"])


def same_top(first, second):
    """Whether both put the same class first."""
    return first.argmax() == second.argmax()


def clip_of(frames):
    """The clip of the golden figures."""
    import recipe

    return recipe.clip(frames, 3)


def build(variant):
    """Function from clip to logits, with the weights of the golden figures."""
    import recipe
    import tensorflow as tf

    from kinetics_i3d_tf2 import InceptionI3d, fold_batch_norm, freeze

    if variant == "plain Keras float32":
        model = plain_model((None, None, None, 3))
        return tf.function(lambda clip: model(clip, training=False))
    model = recipe.assign(InceptionI3d())
    if variant == "folded frozen bfloat16":
        return freeze(fold_batch_norm(model, dtype="bfloat16"))
    return tf.function(lambda clip: model(clip, training=False))


def peak_memory(variant, frames):
    """Peak resident KiB of a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, f"--memory_of={variant}", f"--frames={frames}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return int(done.stdout)


if __name__ == "__main__":
    app.run(main)
