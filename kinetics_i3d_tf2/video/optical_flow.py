"""Optical flow for the Flow stream: TV-L1, its range and its 8-bit code."""

import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from ..arguments import suggest_arguments
from ..utils.progress import Bar
from . import flow_engines
from .tvl1_parameters import EPSILON

# Largest displacement kept, in pixels a frame (README of the release).
FLOW_BOUND = 20.0


@suggest_arguments
def optical_flow(
    frames: np.ndarray,
    *,
    epsilon: float = EPSILON,
    engine: str = "auto",
    progress: bool = False,
    num_threads: int | None = None,
) -> np.ndarray:
    """Forward TV-L1 flow between neighbouring frames.

    All engines compute DualTVL1 with OpenCV's parameters and stopping rule, on grey
    frames. On the release's sample their flows differ by 0.01 pixels on average,
    because rounding decides when iterations stop.

    Args:
        frames: uint8 RGB `(frames, height, width, 3)` in 0..255, at least two.
        epsilon: iterations stop when they change the flow by less, in pixels. On the
            release's sample 0.05 is 7 times faster than 0.01, and the flow differs
            from the release's own by 0.20 instead of 0.18 pixels on average.
        engine: "numba": kernels compiled for the processor, about 20 times faster than
            OpenCV. The first flow on a machine compiles them for some seconds.
            "opencv": the reference. "keras": on the device of Keras's backend, where
            the first call for a size compiles for about ten seconds. "auto": "numba",
            or "keras" if it has a GPU and this machine less than three cores, or
            "opencv" where neither is installed; see `flow_engines.choose_engine`.
        progress: show a progress bar on standard error.
        num_threads: threads of Numba or OpenCV; by default one for each processor. The
            result does not depend on it.

    Returns:
        float32 `(frames - 1, height, width, 2)`: displacement (dx, dy) in pixels,
        right and down, from frame i to i + 1.

    Raises:
        ValueError: fewer than two frames, another dtype or shape, frames of less
            than 16 or more than 32,766 pixels a side, an epsilon of 0 or less, an
            unknown engine, or a number of threads for Keras.
        ImportError: the engine's package is not installed.

    Source: the release used TV-L1 'similar to OpenCV's' (its README); the direction
    was measured against the release's own flow sample.
    """
    frames = np.asarray(frames)
    if frames.ndim != 4:
        raise ValueError(_expected("(frames, height, width, 3)", frames))
    parts = iter_optical_flow(
        frames,
        epsilon=epsilon,
        engine=engine,
        progress=progress,
        num_threads=num_threads,
    )
    flow = np.empty((max(len(frames) - 1, 0), *frames.shape[1:3], 2), np.float32)
    for index, part in enumerate(parts):
        flow[index] = part
    return flow


@suggest_arguments
def iter_optical_flow(
    frames: Iterable[np.ndarray],
    *,
    epsilon: float = EPSILON,
    engine: str = "auto",
    progress: bool = False,
    num_threads: int | None = None,
) -> Iterator[np.ndarray]:
    """Forward TV-L1 flow of a video of any length, pair by pair.

    Frames are taken as they are needed: two pairs a thread are in work or wait for
    their user. Options, meaning and errors are those of `optical_flow`; errors of
    frames are raised when they are reached.

    Args:
        frames: uint8 RGB `(height, width, 3)` in 0..255, at least two, of one size.
        epsilon: iterations stop when they change the flow by less, in pixels.
        engine: "auto", "numba", "opencv" or "keras".
        progress: show a progress bar on standard error.
        num_threads: threads of Numba or OpenCV; by default one for each processor.

    Yields:
        float32 `(height, width, 2)`: displacement (dx, dy) in pixels, right and down,
        from a frame to the next.

    Raises:
        ValueError: see `optical_flow`.
        ImportError: the engine's package is not installed.

    Example:
        ```python
        for flow in iter_optical_flow(iter_video("film.mp4")):
            ...
        ```
    """
    if not 0 < epsilon < np.inf:
        raise ValueError(f"epsilon must be above 0 pixels. Received: {epsilon}")
    engine = flow_engines.choose_engine(engine, num_threads=num_threads)
    return _iterate(frames, epsilon, engine, progress, num_threads)


def _iterate(frames, epsilon, engine, progress, num_threads):
    total = len(frames) - 1 if hasattr(frames, "__len__") else None
    with Bar(total=total, unit="pair", disable=not progress) as bar:
        if engine == "numba":
            flow_engines.compile_numba(bar.set_description)
        bar.set_description("TV-L1 flow")
        for flow in flow_engines.compute_flow(
            itertools.pairwise(_grey(frames)),
            engine=engine,
            epsilon=epsilon,
            num_threads=num_threads,
        ):
            bar.update()
            yield flow


def _grey(frames):
    count, shape = 0, None
    for frame in map(np.asarray, frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3:
            raise ValueError(_expected("(height, width, 3)", frame))
        if min(frame.shape[:2]) < 16 or max(frame.shape[:2]) > 32_766:
            # OpenCV's pyramid of five scales fails on less, its remap on more.
            raise ValueError(
                "Optical flow needs frames of at least 16 and at most 32766 pixels a "
                f"side. Received: {frame.shape[1]}x{frame.shape[0]}"
            )
        if shape not in (None, frame.shape):
            raise ValueError(
                f"Optical flow takes frames of one size. Received: {shape} and, "
                f"{count} frames later, {frame.shape}"
            )
        shape = frame.shape
        count += 1
        yield cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    if count < 2:
        raise ValueError(
            "Optical flow needs at least two frames: it is the motion from one to the "
            f"next. Received: {count}; use a longer clip, or the RGB stream alone"
        )


def _expected(shape, received):
    return (
        f"Optical flow takes uint8 RGB frames {shape} in 0..255. "
        f"Received: {received.dtype} {received.shape}"
    )


@suggest_arguments
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
