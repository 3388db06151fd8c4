"""Pure functions from clip to clip: the release's preprocessing, step by step.

A clip is `(frames, height, width, channels)`; the evaluation of an RGB clip is
`normalize_rgb(center_crop(resize_short_side(clip)))`.

Source: README of the release, 'Sample data and preprocessing'; paper, section 2.5.
"""

import cv2
import numpy as np

from ..arguments import suggest_arguments

SHORT_SIDE = 256
CROP_SIZE = 224


@suggest_arguments
def resize_short_side(clip: np.ndarray, size: int = SHORT_SIDE) -> np.ndarray:
    """Resizes frames so that their short side is `size`, aspect kept.

    Bilinear with half-pixel centres and **no antialiasing** (OpenCV's INTER_LINEAR),
    shrinking included: each output pixel mixes the four nearest input pixels.

    Args:
        clip: uint8 or float32 `(..., height, width, channels)`.
        size: wanted short side in pixels.

    Returns:
        Same dtype, `(..., new_height, new_width, channels)`; `clip` itself when it
        already has the size.

    Raises:
        ValueError: fewer than 3 axes, another dtype, an empty clip or size less than 1.
    """
    clip = np.asarray(clip)
    height, width = _check_frames(clip, size)
    if clip.dtype not in (np.uint8, np.float32):
        raise ValueError(f"Frames must be uint8 or float32. Received: {clip.dtype}")
    if min(height, width) == size:
        return clip
    scale = size / min(height, width)
    new_height, new_width = round(height * scale), round(width * scale)
    frames = clip.reshape(-1, *clip.shape[-3:])
    resized = np.empty((len(frames), new_height, new_width, clip.shape[-1]), clip.dtype)
    for source, target in zip(frames, resized, strict=True):
        # OpenCV drops the last axis of one-channel frames; the reshape restores it.
        target[:] = cv2.resize(
            source, (new_width, new_height), interpolation=cv2.INTER_LINEAR
        ).reshape(target.shape)
    return resized.reshape(*clip.shape[:-3], *resized.shape[1:])


def resize_coded_flow(
    code: np.ndarray, size: int = SHORT_SIDE, *, frames: float = 1.0
) -> np.ndarray:
    """Resizes the 8-bit code of optical flow; displacements grow with the pictures.

    Args:
        code: uint8 `(..., height, width, 2)`, the first channels of
            `optical_flow.encode_flow`.
        size: short side of the result in pixels.
        frames: frames of `code` from one frame of the result to the next, as the
            motion is wanted that far.

    Returns:
        uint8 `(..., new_height, new_width, 2)`.
    """
    scale = frames * size / min(code.shape[-3:-1])
    if scale != 1:
        code = (127.5 + (code - 127.5) * scale).round().clip(0, 255).astype(np.uint8)
    return resize_short_side(code, size)


@suggest_arguments
def center_crop(clip: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """Cuts the central square out of every frame.

    Args:
        clip: `(..., height, width, channels)`.
        size: side of the square in pixels.

    Returns:
        View of `clip`, `(..., size, size, channels)`.

    Raises:
        ValueError: frames are smaller than the crop.
    """
    height, width = _check_frames(clip, size, crop=True)
    return _crop(clip, (height - size) // 2, (width - size) // 2, size)


def random_crop(
    clip: np.ndarray, size: int = CROP_SIZE, *, rng: np.random.Generator
) -> np.ndarray:
    """Cuts one random square, the same in every frame.

    Args:
        clip: `(..., height, width, channels)`.
        size: side of the square in pixels.
        rng: where the place is drawn from.

    Returns:
        View of `clip`, `(..., size, size, channels)`.

    Raises:
        ValueError: frames are smaller than the crop.
    """
    height, width = _check_frames(clip, size, crop=True)
    top, left = rng.integers(height - size + 1), rng.integers(width - size + 1)
    return _crop(clip, top, left, size)


def loop(clip: np.ndarray, num_frames: int) -> np.ndarray:
    """Repeats a short clip from its start until it has `num_frames` frames.

    Args:
        clip: `(frames, ...)`.
        num_frames: wanted length.

    Returns:
        `(max(frames, num_frames), ...)`; `clip` itself when it is long enough.

    Raises:
        ValueError: the clip has no frames.
    """
    if len(clip) == 0:
        raise ValueError("A clip needs at least one frame to be looped. Received: none")
    if len(clip) >= num_frames:
        return clip
    return clip[np.arange(num_frames) % len(clip)]


def flip(clip: np.ndarray) -> np.ndarray:
    """Mirrors RGB frames left to right.

    Args:
        clip: uint8 or float32 `(..., height, width, channels)`, at most four channels.

    Returns:
        Array of the same shape and dtype, mirrored along its width.
    """
    frames = clip.reshape(-1, *clip.shape[-3:])
    mirrored = np.empty_like(frames)
    for source, target in zip(frames, mirrored, strict=True):
        cv2.flip(source, 1, dst=target)
    return mirrored.reshape(clip.shape)


def flip_flow(flow: np.ndarray) -> np.ndarray:
    """Mirrors optical flow left to right; dx changes its sign.

    Args:
        flow: float `(..., height, width, 2)`, last axis (dx, dy); or its 8-bit code
            (`optical_flow.encode_flow`), uint8.

    Returns:
        Array of the same shape and dtype: the flow of the mirrored frames.

    Raises:
        ValueError: the last axis is not 2.
    """
    if flow.shape[-1] != 2:
        raise ValueError(
            f"Optical flow has 2 channels, (dx, dy). Received: shape {flow.shape}"
        )
    mirrored = flip(flow)
    if flow.dtype == np.uint8:
        np.subtract(255, mirrored[..., 0], out=mirrored[..., 0])
    else:
        np.negative(mirrored[..., 0], out=mirrored[..., 0])
    return mirrored


@suggest_arguments
def normalize_rgb(clip: np.ndarray) -> np.ndarray:
    """Scales RGB frames to the RGB stream's range.

    Args:
        clip: uint8 `(..., 3)` in 0..255.

    Returns:
        float32 of the same shape in [-1, 1].

    Raises:
        ValueError: the clip is not uint8, so its range is unknown.
    """
    if clip.dtype != np.uint8:
        raise ValueError(
            "normalize_rgb takes uint8 frames in 0..255, so that the range is never "
            f"guessed. Received: {clip.dtype}"
        )
    scaled = np.divide(clip, np.float32(127.5), dtype=np.float32)
    return np.subtract(scaled, np.float32(1), out=scaled)


def _check_frames(clip, size, crop=False):
    if clip.ndim < 3 or 0 in clip.shape or size < 1:
        raise ValueError(
            "Frames must be (..., height, width, channels), not empty, and sizes at "
            f"least 1. Received: shape {clip.shape}, size {size}"
        )
    height, width = clip.shape[-3:-1]
    if crop and min(height, width) < size:
        raise ValueError(
            f"Cannot crop {size}x{size} out of frames of {width}x{height} pixels; "
            "resize them first (resize_short_side)."
        )
    return height, width


def _crop(clip, top, left, size):
    return clip[..., top : top + size, left : left + size, :]
