r"""Times the RGB stream with oneDNN's kernels and with TensorFlow's own.

  python benchmarks/onednn.py

TensorFlow turns oneDNN on by itself where the processor has AVX-512 VNNI or the like;
the commands turn it on everywhere. Each variant runs in processes of its own, which
take turns, so that a machine whose speed drifts is fair to both.
"""

import json
import os
import statistics
import subprocess
import sys

import numpy as np
from absl import app, flags
from arithmetic import fastest
from processor import processor_name
from tqdm import tqdm

FRAMES = flags.DEFINE_integer("frames", 16, "Frames of a clip.", 9)
REPEATS = flags.DEFINE_integer("repeats", 3, "Processes of each variant.", 1)
CHILD = flags.DEFINE_boolean("child", False, "Only print the seconds of one process.")

VARIANTS = {"TensorFlow's own": "0", "oneDNN": "1"}


def main(_):
    """Prints a row for each variant."""
    if CHILD.value:
        print(json.dumps(seconds()))
        return
    times = {variant: [] for variant in VARIANTS}
    for _ in tqdm(range(REPEATS.value), leave=False):
        for variant, value in VARIANTS.items():
            times[variant].append(seconds_apart(value))
    print(f"{processor_name()}; one clip of {FRAMES.value} frames, float32")
    print("                  forward  training step   seconds")
    for variant, rows in times.items():
        forward, step = map(statistics.median, zip(*rows, strict=True))
        print(f"{variant:17}{forward:8.2f}{step:15.2f}")


def seconds_apart(value):
    """Seconds in a process where oneDNN is off (0) or on (1)."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", f"--frames={FRAMES.value}"],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": value},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def seconds():
    """Of the fastest forward pass, and of the fastest training step."""
    import tensorflow as tf

    from kinetics_i3d_tf2.training import build
    from kinetics_i3d_tf2.training.recipes import RECIPES

    recipe = RECIPES["paper_scratch"]
    model = build.build_model(recipe, 400)
    trainer = build.make_trainer(model, recipe)
    trainer.make_train_function()
    clip = np.random.default_rng(0).uniform(-1, 1, (1, FRAMES.value, 224, 224, 3))
    clip = tf.constant(clip, tf.float32)
    forward = tf.function(lambda clip: model(clip, training=False), autograph=False)

    def step():
        return float(trainer.train_function([(clip, tf.constant([7]))])["loss"])

    return fastest(lambda: np.asarray(forward(clip))), fastest(step)


if __name__ == "__main__":
    app.run(main)
