"""Gaussians of sets of videos, kept in .npz files."""

import json
import os

import numpy as np

from ..utils import files
from .frechet import Gaussian

# Names of protocols in older files.
_RENAMED = {"Logits of 224x224, reference resizing": "reference"}


def save_statistics(
    path: str | os.PathLike, gaussian: Gaussian, settings: dict
) -> None:
    """Writes the Gaussian of a set as .npz.

    Args:
        path: the file.
        gaussian: the Gaussian.
        settings: what it depends on, as JSON types.

    Raises:
        OSError: it cannot be written.
    """
    with files.atomic_writer(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, settings=json.dumps(settings), **gaussian._asdict())


def load_statistics(path: str | os.PathLike) -> tuple[Gaussian, dict]:
    """Reads what `save_statistics` wrote.

    Returns:
        The Gaussian, and the settings.

    Raises:
        OSError: there is no such file.
        ValueError: it is no such file.
    """
    files.require_regular(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            settings = json.loads(str(arrays["settings"]))
            parts = {name: arrays[name] for name in Gaussian._fields}
        known = settings.get("protocol")
        settings["protocol"] = _RENAMED.get(known, known)
        gaussian = Gaussian(**parts | {"count": int(parts["count"])})
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # Broken files raise errors of any kind, OSError too.
        raise ValueError(f"{path}: holds no statistics of this program") from error
    mean, covariance = gaussian.mean.shape, gaussian.covariance.shape
    if len(mean) != 1 or covariance != mean * 2:
        raise ValueError(
            f"{path}: holds no statistics of this program: the mean is {mean}, the "
            f"covariance {covariance}"
        )
    return gaussian, settings
