"""Preprocessed clips in .npy files, as the release distributes its sample."""

import os

import numpy as np
from absl import logging

from ..models.architecture import MIN_FRAMES, MIN_SIZE
from ..utils import files, walk


def read_clip(path: str | os.PathLike, channels: int) -> np.ndarray:
    """Reads and checks a preprocessed clip.

    Args:
        path: .npy file, local or an address.
        channels: 3 for RGB, 2 for flow.

    Returns:
        float32 (1, frames, height, width, channels) in [-1, 1].

    Raises:
        OSError: the file does not exist.
        ValueError: it is not a whole .npy file, such as a pipe, or its shape, dtype or
            range is wrong.
    """
    walk.require_regular(path)
    with files.open_file(path, "rb") as file:
        path = files.redact(path)
        clip = read_array(path, file)
    _check(path, clip, channels)
    return clip.astype(np.float32)


def read_array(path: str | os.PathLike, file=None) -> np.ndarray:
    """Reads the array of a .npy file.

    Args:
        path: the file; local, unless `file` is given.
        file: the open file. Without it the array is memory-mapped.

    Returns:
        The array.

    Raises:
        OSError: the file does not exist.
        ValueError: it is not a whole .npy file.
    """
    if file is None:
        walk.require_regular(path)
    try:
        mode = "r" if file is None else None
        array = np.load(file or path, mmap_mode=mode, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # NumPy raises errors of any kind for broken files.
        raise ValueError(f"{path}: is not a whole .npy file of numbers") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: is a .npz archive; save the one array with np.save")
    return array


def _check(path, clip, channels):
    shape = f"(1, frames, height, width, {channels})"
    if clip.ndim != 5 or clip.shape[0] != 1 or clip.shape[-1] != channels:
        raise ValueError(f"{path}: shape {clip.shape}, expected {shape}")
    if clip.shape[1] < MIN_FRAMES or min(clip.shape[2:4]) < MIN_SIZE:
        raise ValueError(
            f"{path}: shape {clip.shape}, expected {shape} with at least {MIN_FRAMES} "
            f"frames of {MIN_SIZE} pixels a side"
        )
    advice = "scale RGB with x / 127.5 - 1, and flow with clip(x, -20, 20) / 20"
    if not np.issubdtype(clip.dtype, np.floating):
        raise ValueError(f"{path}: {clip.dtype}, expected float in [-1, 1]; {advice}")
    low, high = clip.min(), clip.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{path}: holds NaN or infinity, expected [-1, 1]")
    if low < -1.001 or high > 1.001:  # A little is left for rounding.
        raise ValueError(
            f"{path}: values in [{low:g}, {high:g}], expected [-1, 1]; {advice}"
        )
    if low >= 0 and high > 0.5:
        logging.warning(
            "%s: no value is below 0; the streams expect [-1, 1], not [0, 1]", path
        )
