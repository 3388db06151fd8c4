r"""Times the engines of TV-L1 flow against OpenCV, and measures how far they differ.

  python benchmarks/flow.py
  python benchmarks/flow.py --video=rgb.gif --released_flow=flow.gif --pairs=78
  python benchmarks/flow.py --part=keras
  KERAS_BACKEND=jax python benchmarks/flow.py --part=keras --pairs=64 --at_once=64

Engines take turns, so ratios hold on a busy machine too; figures are medians. OpenCV's
own threads are off, as pairs are spread over threads. Everything is compiled before.
`flow_kernels.py` compares the kernels with the limits of the processor.
"""

import time

import cv2
import moving_texture
import numpy as np
from absl import app, flags
from processor import processor_name
from tqdm import tqdm

from kinetics_i3d_tf2.video import optical_flow, reader, transforms, tvl1_cpu

PARTS = ["engines", "sizes", "inputs", "keras"]
PART = flags.DEFINE_list("part", PARTS[:3], f"What to measure, of {PARTS}.")
VIDEO = flags.DEFINE_string("video", None, "Video to take frames from.")
RELEASED_FLOW = flags.DEFINE_string(
    "released_flow", None, "GIF of the flow of that video, in R and G as the release's."
)
PAIRS = flags.DEFINE_integer("pairs", 16, "Frame pairs of a run at 224x224.", 1)
THREADS = flags.DEFINE_integer("threads", 2, "Threads to compare one with.", 2)
AT_ONCE = flags.DEFINE_integer("at_once", 1, "Pairs that Keras computes at once.", 1)
REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each.", 1)


def main(_):
    """Prints seconds a pair, ratios to OpenCV, and end-point errors."""
    print(f"{processor_name()}; OpenCV {cv2.__version__}, NumPy {np.__version__}")
    cv2.setNumThreads(1)
    tvl1_cpu.compile_kernels()
    frames = read_frames(PAIRS.value + 1)
    if "engines" in PART.value:
        released = read_released(RELEASED_FLOW.value, PAIRS.value)
        compare("224x224", frames, released=released)
    if "sizes" in PART.value:
        for width, height, pairs in ((340, 256, 4), (1280, 720, 2)):
            larger = [cv2.resize(frame, (width, height)) for frame in frames]
            compare(f"{width}x{height}", np.stack(larger[: pairs + 1]))
    if "inputs" in PART.value:
        for name, made in inputs(frames).items():
            compare(name, made, threads=[1])
    if "keras" in PART.value:
        compare_keras(frames)


def inputs(frames):
    """Frames that are hard or easy, by name."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)
    moved = np.stack([np.roll(frames[0], i * 40, axis=1) for i in range(3)])
    return {
        "noise": noise,
        "still frames": np.repeat(frames[:1], 3, axis=0),
        "still frames with noise": np.clip(
            frames[0] + rng.normal(0, 2, (3, *frames[0].shape)), 0, 255
        ).astype(np.uint8),
        "motion of 40 pixels": moved,
        "16x16": np.stack([cv2.resize(frame, (16, 16)) for frame in frames]),
    }


def compare(name, frames, *, released=None, threads=None):
    """Prints a line for each engine and number of threads."""
    variants = {
        (engine, count): lambda e=engine, n=count: optical_flow.optical_flow(
            frames, engine=e, num_threads=n
        )
        for count in threads or [1, THREADS.value]
        for engine in ("opencv", "numba")
    }
    times, flows = measure(variants)
    pairs = len(frames) - 1
    print(f"\n{name}, {pairs} pairs")
    for (engine, count), seconds in times.items():
        line = f"{engine:8}{count:2} threads: "
        line += describe(times["opencv", count], seconds, pairs)
        error = end_point_error(flows[engine, count], flows["opencv", count])
        line += f"; {error:.4f} px from OpenCV's"
        if released is not None:
            error = end_point_error(flows[engine, count], released)
            line += f", {error:.4f} from the release's"
        print(line)


def measure(variants):
    """Seconds and processor seconds of each run, and the flow, by name."""
    times, flows = {name: [] for name in variants}, {}
    for _ in tqdm(range(REPEATS.value), "Timing", leave=False):
        for name, compute in variants.items():
            start = np.array([time.perf_counter(), time.process_time()])
            flows[name] = compute()
            end = np.array([time.perf_counter(), time.process_time()])
            times[name].append(end - start)
    return times, flows


def describe(reference, times, pairs):
    """Seconds of a pair, and how much faster than the reference that is."""
    ratio, _ = np.median(np.divide(reference, times), axis=0)
    seconds, processors = np.median(times, axis=0) / pairs
    return (
        f"{seconds:8.4f} s a pair ({processors:.4f} processor s), "
        f"{ratio:5.1f} times OpenCV"
    )


def compare_keras(frames):
    """Prints a line for each way to compile `tvl1_keras`, on the backend's device."""
    import keras

    from kinetics_i3d_tf2.video import tvl1_keras

    grey = keras.ops.convert_to_tensor(np.asarray(tvl1_keras.grey(frames)))

    def compute(first, second):
        return tvl1_keras.tvl1_flow(first, second, pairs=AT_ONCE.value)

    if keras.backend.backend() == "jax":
        import jax

        compiled = {"XLA": jax.jit(compute)}
    else:
        import tensorflow as tf

        compiled = {
            "graph": tf.function(compute, jit_compile=False),
            "XLA": tf.function(compute, jit_compile=True),
        }
    variants = {
        "OpenCV": lambda: optical_flow.optical_flow(
            frames, engine="opencv", num_threads=1
        ),
        **{
            f"Keras, {name}": lambda f=function: np.asarray(f(grey[:-1], grey[1:]))
            for name, function in compiled.items()
        },
    }
    for name in tqdm(compiled, "Compiling", leave=False):
        variants[f"Keras, {name}"]()
    times, flows = measure(variants)
    device = keras.distribution.list_devices()[0]
    print(f"\nKeras on {keras.backend.backend()}, {device}, {AT_ONCE.value} at once")
    for name, seconds in times.items():
        error = end_point_error(flows[name], flows["OpenCV"])
        print(
            f"{name:14}{describe(times['OpenCV'], seconds, len(frames) - 1)} on one "
            f"thread; {error:.4f} px from OpenCV's"
        )


def end_point_error(received, expected):
    """Mean distance in pixels."""
    return np.linalg.norm(received - expected, axis=-1).mean()


def read_released(path, pairs):
    """Flow in a GIF: flow / 20 + 0.5 in R (x) and G (y)."""
    if path is None:
        return None
    image = reader.read_video(path, max_frames=pairs)
    return (image[..., :2].astype(np.float32) / 255 - 0.5) * 20


def read_frames(count):
    """Frames 224x224 of --video, or of a texture that moves."""
    if VIDEO.value:
        frames = reader.read_video(VIDEO.value, max_frames=count)
        if min(frames.shape[1:3]) == transforms.CROP_SIZE:
            return frames
        return transforms.center_crop(transforms.resize_short_side(frames))
    return moving_texture.frames(count)


if __name__ == "__main__":
    app.run(main)
