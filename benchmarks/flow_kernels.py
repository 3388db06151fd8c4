r"""Compares an iteration of TV-L1 with the processor's limits; shows how flow scales.

  python benchmarks/flow_kernels.py

An iteration needs two divisions and two square roots a pixel, and unless several are
made in one pass over memory, it reads ten float32 values a pixel and writes six. Both
are timed by loops of their own in the same run.
"""

import time

import cv2
import numpy as np
from absl import app, flags
from arithmetic import fastest
from memory import resident_mib
from numba import njit
from processor import processor_name

from kinetics_i3d_tf2.video import optical_flow, tvl1_cpu
from kinetics_i3d_tf2.video.tvl1_cpu import buffers, iteration, warp

PART = flags.DEFINE_list("part", ["limits", "growth", "memory"], "What to measure.")
SIZES = ((112, 112), (224, 224), (340, 256), (1280, 720))


@njit(nogil=True)
def triad(a, b, c, share):
    """A = b + share * c."""
    for i in range(a.size):
        a[i] = b[i] + share * c[i]


@njit(nogil=True, error_model="numpy")
def divide(a, b, times):
    """Two divisions and two roots for each value, on data in the cache."""
    for _ in range(times):
        for i in range(a.size):
            x = b[i]
            a[i] = x / (np.float32(1) + np.sqrt(x)) + x / (
                np.float32(2) + np.sqrt(x + x)
            )


def main(_):
    """Prints the parts."""
    print(processor_name())
    tvl1_cpu.compile_kernels()
    if "limits" in PART.value:
        print_limits()
    if "growth" in PART.value:
        print_growth()
    if "memory" in PART.value:
        print_memory()


def print_limits():
    """An iteration and the two loops, in nanoseconds a pixel."""
    values = np.ones((2, 2048), np.float32)
    arithmetic = fastest(lambda: divide(*values, 100)) / (100 * values.shape[1])
    print("nanoseconds a pixel: an iteration, of which the limits are")
    for width, height in SIZES:
        pixels = width * height
        traffic = 16 * time_triad(pixels * 10)
        inner = time_iteration(height, width) / pixels
        limit = max(arithmetic, traffic)
        print(
            f"{width:4}x{height:<4}{inner * 1e9:7.2f}: divisions and roots "
            f"{arithmetic * 1e9:.2f}, memory {traffic * 1e9:.2f}; "
            f"{inner / limit:.2f} times the larger"
        )


def time_triad(size):
    """Seconds for each value that is read or written, of so many."""
    a, b, c = np.ones((3, size // 3), np.float32)
    return fastest(lambda: triad(a, b, c, np.float32(0.5))) / size


def time_iteration(height, width):
    """Seconds of an inner iteration, without the median filter before it."""
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.uniform(0, 255, (height, width)), (0, 0), 2)
    frame = frame.astype(np.float32)
    shape, work = buffers.plane_shape(height, width), buffers.allocate(height, width)
    warp.fill_taps(np.roll(frame, 2), buffers.start_scale(frame, None, shape, work))
    warp.warp(0, shape, work)
    few, many = (
        fastest(lambda n=n: iteration.outer_iteration(0, n, 0.0, shape, work))
        for n in (1, 33)
    )
    return (many - few) / 32


def print_growth():
    """Time against frames, and against pixels for a fixed number of iterations."""
    print("processor seconds a pair against frames, 112x112, one thread")
    for count in (16, 79, 250, 1000):
        seconds = time_flow(moving(count, 112), epsilon=0.01) / (count - 1)
        print(f"{count:6} frames{seconds:10.5f}")
    print("nanoseconds a pixel of a pair against pixels, 1500 iterations a scale")
    for side in (112, 224, 448, 896):
        seconds = time_flow(moving(3, side), epsilon=1e-6) / 2
        print(f"{side:4}x{side:<4}{seconds / side**2 * 1e9:10.1f}")


def moving(count, side):
    """RGB frames of a texture that moves."""
    rng = np.random.default_rng(0)
    size = side + 50
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (size, size, 3)), (0, 0), 3)
    texture = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return [texture[i % 50 :, i % 50 :][:side, :side] for i in range(count)]


def time_flow(frames, *, epsilon):
    """Processor seconds of their flow on one thread."""
    start = time.process_time()
    for _ in optical_flow.iter_optical_flow(frames, epsilon=epsilon, num_threads=1):
        pass
    return time.process_time() - start


def print_memory():
    """Resident memory while a long video is streamed."""
    frames = moving(50, 224)
    stream = (frames[i % 50].copy() for i in range(1501))
    flows = optical_flow.iter_optical_flow(stream, epsilon=1.0, num_threads=2)
    for count, _ in enumerate(flows, 1):
        if count in (50, 500, 1000, 1500):
            print(f"resident memory after {count} pairs: {resident_mib():.0f} MiB")


if __name__ == "__main__":
    app.run(main)
