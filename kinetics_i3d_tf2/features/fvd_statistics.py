"""Gaussians of sets of videos, kept in .npz files."""

import hashlib
import json
import os

import numpy as np
from absl import logging

from ..data.listings.video_folder import VIDEO_SUFFIXES, list_videos
from ..utils import files, fingerprint, walk
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


def describe_source(path: str | os.PathLike) -> dict[str, str]:
    """What a set of videos is, to tell later whether it is still the same.

    Args:
        path: a folder of videos, or a .npy file.

    Returns:
        "path", absolute, and "fingerprint": of the names, sizes and times of its files;
        "" if it does not exist.
    """
    place = files.absolute(files.redact(path))
    paths = [os.fspath(path)] if files.exists(path) else []
    if paths and files.is_dir(path):
        paths = list_videos(path, (*VIDEO_SUFFIXES, ".npy")).videos
    found = fingerprint.of_files(paths)
    facts = [(each[len(os.fspath(path)) :], found[each]) for each in paths]
    digest = hashlib.sha256(ascii(facts).encode()).hexdigest()[:16] if paths else ""
    return {"path": place, "fingerprint": digest}


def warn_of_changes(path: str | os.PathLike, settings: dict) -> None:
    """Logs that the videos of saved statistics have changed since, if they have.

    Args:
        path: the statistics.
        settings: as of `load_statistics`. Older files have no source; videos that are
            not on this machine cannot have changed.
    """
    before = settings.get("source") or {}
    if not before.get("fingerprint"):
        return
    today = describe_source(before["path"])
    if today["fingerprint"] not in ("", before["fingerprint"]):
        logging.warning(
            "%s: is of %s as it was; its videos have changed since. Compute it again "
            "with --save_real or --save_fake, unless that is meant",
            files.redact(path), before["path"],
        )  # fmt: skip


def load_statistics(path: str | os.PathLike) -> tuple[Gaussian, dict]:
    """Reads what `save_statistics` wrote.

    Returns:
        The Gaussian, and the settings.

    Raises:
        OSError: there is no such file.
        ValueError: it is no such file.
    """
    walk.require_regular(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            settings = json.loads(str(arrays["settings"]))
            # Members that are no arrays come as bytes.
            parts = {
                name: np.asarray(arrays[name], np.float64) for name in Gaussian._fields
            }
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
