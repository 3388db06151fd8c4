r"""Times TV-L1 flow: OpenCV's with one thread and with more, Keras's, and their error.

  python benchmarks/flow.py
  python benchmarks/flow.py --video=rgb.gif --released_flow=flow.gif --pairs=78
  KERAS_BACKEND=jax python benchmarks/flow.py --pairs=64 --at_once=64

OpenCV's own threads are off for the row of one thread, as they would be a second one.
Keras's rows are `tvl1` on the device of its backend, compiled beforehand: TensorFlow's
as a plain graph and by XLA, JAX's by XLA. With JAX no TensorFlow is needed.
"""

import statistics
import time

import cv2
import keras
import numpy as np
from absl import app, flags
from tqdm import tqdm

from kinetics_i3d_tf2.video import optical_flow, reader, transforms, tvl1_keras

VIDEO = flags.DEFINE_string("video", None, "Video to take frames from.")
RELEASED_FLOW = flags.DEFINE_string(
    "released_flow", None, "GIF of the flow of that video, in R and G as the release's."
)
PAIRS = flags.DEFINE_integer("pairs", 16, "Frame pairs of a run.", 1)
THREADS = flags.DEFINE_integer("threads", 2, "Threads to compare one with.", 2)
AT_ONCE = flags.DEFINE_integer("at_once", 1, "Pairs that Keras computes at once.", 1)
REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each.", 1)


def main(_):
    """Prints seconds a pair, the ratios to one thread, and end-point errors."""
    frames = read_frames(PAIRS.value + 1)
    pairs = len(frames) - 1
    variants = {
        "OpenCV, 1 thread": lambda: opencv(frames, 1),
        f"OpenCV, {THREADS.value} threads": lambda: opencv(frames, THREADS.value),
        **keras_variants(frames),
    }
    for name, compute in tqdm(list(variants.items()), "Compiling", leave=False):
        if name.startswith("Keras"):
            compute()
    times = {name: [] for name in variants}
    flows = {}
    for _ in tqdm(range(REPEATS.value), "Timing", leave=False):
        for name, compute in variants.items():
            start = time.perf_counter()
            flows[name] = compute()
            times[name].append((time.perf_counter() - start) / pairs)
    height, width = frames.shape[1:3]
    device = keras.distribution.list_devices()[0]
    print(
        f"TV-L1, {width}x{height}, {pairs} pairs, OpenCV {cv2.__version__}; Keras on "
        f"{keras.backend.backend()}, {device}, {AT_ONCE.value} at once"
    )
    released = read_released(RELEASED_FLOW.value, pairs)
    one = times["OpenCV, 1 thread"]
    for name, seconds in times.items():
        ratio = statistics.median(np.divide(one, seconds))
        error = end_point_error(flows[name], flows["OpenCV, 1 thread"])
        line = (
            f"{name:20}{statistics.median(seconds):8.4f} s a pair, {ratio:6.2f} times"
        )
        line += f" one thread; {error:.4f} px from OpenCV's"
        if released is not None:
            line += f", {end_point_error(flows[name], released):.4f} from the release's"
        print(line)


def opencv(frames, threads):
    """Flow by OpenCV."""
    cv2.setNumThreads(1 if threads == 1 else -1)
    return optical_flow.optical_flow(frames, num_threads=threads)


def keras_variants(frames):
    """Functions of Keras's rows, by name."""
    grey = keras.ops.convert_to_tensor(np.asarray(tvl1_keras.grey(frames)))
    pairs = grey[:-1], grey[1:]

    def compute(first, second):
        return tvl1_keras.tvl1_flow(first, second, pairs=AT_ONCE.value)

    if keras.backend.backend() == "jax":
        import jax

        compiled = {"Keras, XLA": jax.jit(compute)}
    else:
        import tensorflow as tf

        compiled = {
            "Keras, graph": tf.function(compute, jit_compile=False),
            "Keras, XLA": tf.function(compute, jit_compile=True),
        }
    return {name: lambda f=f: np.asarray(f(*pairs)) for name, f in compiled.items()}


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
    """Frames of --video, or a texture that moves."""
    if VIDEO.value:
        frames = reader.read_video(VIDEO.value, max_frames=count)
        if min(frames.shape[1:3]) == transforms.CROP_SIZE:
            return frames
        return transforms.center_crop(transforms.resize_short_side(frames))
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (300, 300, 3)), (0, 0), 3)
    texture = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.stack(
        [texture[i % 70 : i % 70 + 224, i % 50 : i % 50 + 224] for i in range(count)]
    )


if __name__ == "__main__":
    app.run(main)
