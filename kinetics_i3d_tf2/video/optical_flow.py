"""Optical flow for the Flow stream: TV-L1, its range and its 8-bit code."""

import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from tqdm import tqdm

# Largest displacement kept, in pixels a frame (README of the release).
FLOW_BOUND = 20.0
# OpenCV's default: iterations stop when a pixel's flow changes by less on average.
# `tvl1` has the same; it is not imported here, as it needs Keras.
EPSILON = 0.01
# Pairs that a GPU computes at once; 60 float32 values a pixel are held for each.
_GPU_PAIRS = 32


def optical_flow(
    frames: np.ndarray,
    *,
    epsilon: float = EPSILON,
    engine: str = "opencv",
    progress: bool = False,
    num_threads: int | None = None,
) -> np.ndarray:
    """Forward TV-L1 flow between neighbouring frames.

    DualTVL1 with OpenCV's parameters, on grey frames: OpenCV's own, with pairs spread
    over threads, or `tvl1`, compiled by XLA, which is faster on CPU and also runs on
    GPUs. The two are 0.01 pixels apart on the release's sample, as a mean; rounding
    decides when iterations stop.

    Args:
        frames: uint8 RGB `(frames, height, width, 3)` in 0..255, at least two.
        epsilon: iterations stop when they change the flow by less, in pixels. On the
            release's sample 0.05 is 7 times faster than 0.01, and as a mean 0.20
            instead of 0.18 pixels from the release's own flow.
        engine: "opencv"; or "keras": on the device of Keras's backend, where the first
            call for a size compiles for about ten seconds.
        progress: show a progress bar on standard error.
        num_threads: OpenCV's threads, by default one a processor; they do not change
            the result. The backend chooses its own.

    Returns:
        float32 `(frames - 1, height, width, 2)`: displacement (dx, dy) in pixels,
        right and down, from frame i to i + 1.

    Raises:
        ValueError: fewer than two frames, another dtype or shape, frames of less
            than 16 or more than 32,766 pixels a side, an epsilon of 0 or less, another
            engine, or a number of threads for Keras.

    Source: the release used TV-L1 'similar to OpenCV's' (its README); the direction
    was measured against the release's own flow sample.
    """
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(
            "Optical flow takes uint8 RGB frames (frames, height, width, 3) in 0..255."
            f" Received: {frames.dtype} {frames.shape}"
        )
    if len(frames) < 2:
        raise ValueError(
            "Optical flow needs at least two frames: it is the motion from one to the "
            f"next. Received: {len(frames)}; use a longer clip, or the RGB stream alone"
        )
    if min(frames.shape[1:3]) < 16 or max(frames.shape[1:3]) > 32_766:
        # OpenCV's pyramid of five scales fails on less, its remap on more.
        raise ValueError(
            "Optical flow needs frames of at least 16 and at most 32766 pixels a side. "
            f"Received: {frames.shape[2]}x{frames.shape[1]}"
        )
    if not 0 < epsilon < np.inf:
        raise ValueError(f"epsilon must be above 0 pixels. Received: {epsilon}")
    if engine not in ("opencv", "keras"):
        raise ValueError(f"engine must be opencv or keras. Received: {engine!r}")
    if engine == "keras" and num_threads is not None:
        raise ValueError("num_threads is for OpenCV; Keras's backend has its own")
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    flow = np.empty((len(frames) - 1, *frames.shape[1:3], 2), np.float32)
    bar = tqdm(desc="TV-L1 flow", total=len(flow), unit="pair", disable=not progress)
    with bar:
        if engine == "keras":
            _fill_with_keras(flow, grey, epsilon, bar)
        else:
            _fill_with_opencv(flow, grey, epsilon, bar, num_threads)
    return flow


def _fill_with_opencv(flow, grey, epsilon, bar, num_threads):
    # A DualTVL1 object keeps buffers between calls, so each thread has its own.
    workspace = threading.local()

    def compute(index):
        if not hasattr(workspace, "tvl1"):
            workspace.tvl1 = cv2.optflow.DualTVL1OpticalFlow_create(epsilon=epsilon)
        flow[index] = workspace.tvl1.calc(grey[index], grey[index + 1], None)

    if num_threads == 1:
        for index in range(len(flow)):
            compute(index)
            bar.update()
        return
    pool = ThreadPoolExecutor(num_threads or os.cpu_count())
    try:
        for _ in pool.map(compute, range(len(flow))):
            bar.update()
    finally:
        pool.shutdown(cancel_futures=True)  # An interrupt waits for no more.


def _fill_with_keras(flow, grey, epsilon, bar):
    import keras

    # A GPU wants many pairs at once; a CPU's caches hold one.
    devices = keras.distribution.list_devices()
    on_cpu = all(name.lower().startswith("cpu") for name in devices)
    pairs = min(1 if on_cpu else _GPU_PAIRS, len(flow))
    model = _keras_model(keras.config.backend(), epsilon)
    grey = grey.astype(np.float32)
    for start in range(0, len(flow), pairs):
        begin = min(start, len(flow) - pairs)  # One shape, compiled once.
        part = slice(begin, begin + pairs)
        flow[part] = model.predict_on_batch([grey[:-1][part], grey[1:][part]])
        bar.update(begin + pairs - start)


@functools.cache
def _keras_model(backend, epsilon):
    """Model of no weights: Keras compiles it as suits backend and device."""
    import keras

    from . import tvl1_keras

    class TVL1(keras.Model):
        def call(self, inputs):
            return tvl1_keras.tvl1_flow(*inputs, epsilon=epsilon)

    model = TVL1(dtype="float32")
    # Convolutions are slower by XLA on CPU; this is three times faster by it.
    model.compile(jit_compile=backend != "torch")
    return model


def normalize_flow(flow: np.ndarray, *, bound: float = FLOW_BOUND) -> np.ndarray:
    """Clips optical flow and scales it to the Flow stream's range.

    Args:
        flow: float32 `(..., height, width, 2)`, displacement in pixels a frame at
            25 fps; last axis (dx, dy), right and down.
        bound: largest displacement kept, in pixels a frame.

    Returns:
        float32 of the same shape in [-1, 1]; no motion is 0.

    Raises:
        ValueError: the last axis is not 2, or `bound` is not positive.

    Source: README of the release, 'Sample data and preprocessing'.
    """
    flow = _check_flow(flow, 2, "(dx, dy)")
    if not bound > 0:
        raise ValueError(f"bound must be greater than 0 pixels. Received: {bound}")
    return np.clip(flow, -bound, bound).astype(np.float32) / np.float32(bound)


def encode_flow(flow: np.ndarray) -> np.ndarray:
    """Codes optical flow as 8-bit images, as MediaPipe's Kinetics records hold it.

    Args:
        flow: float `(..., height, width, 2)` in pixels; more than 20 is clipped.

    Returns:
        uint8 `(..., height, width, 3)`: R is dx, G is dy, B is 0; no motion is 127.

    Raises:
        ValueError: the last axis is not 2.

    Source: MediaPipe's `FlowToImageCalculator` as `kinetics_dataset.py` sets it.
    """
    flow = _check_flow(flow, 2, "(dx, dy)")
    clipped = np.clip(flow, -FLOW_BOUND, FLOW_BOUND)
    code = ((clipped + FLOW_BOUND) / (2 * FLOW_BOUND) * 255).astype(np.uint8)
    return np.concatenate([code, np.zeros_like(code[..., :1])], axis=-1)


def decode_flow(image: np.ndarray) -> np.ndarray:
    """Undoes `encode_flow`, within one step of its code (0.157 pixels).

    Args:
        image: uint8 `(..., height, width, 3)`, as `encode_flow` makes it.

    Returns:
        float32 `(..., height, width, 2)` in pixels, in [-20, 20]. No motion comes
        back as -0.078: the code has no exact zero.

    Raises:
        ValueError: the last axis is not 3.
    """
    image = _check_flow(image, 3, "R (dx), G (dy), B")
    scaled = image[..., :2].astype(np.float32) / np.float32(255) - np.float32(0.5)
    return scaled * np.float32(2 * FLOW_BOUND)


def _check_flow(flow, channels, meaning):
    flow = np.asarray(flow)
    if flow.ndim < 3 or flow.shape[-1] != channels:
        raise ValueError(
            f"Expected (..., height, width, {channels}), last axis {meaning}. "
            f"Received: shape {flow.shape}"
        )
    return flow
