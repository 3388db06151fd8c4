"""The Frechet Video Distance: sets of videos as Gaussians of a model's logits."""

import contextlib
import functools
import json
import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from ..data import prefetch
from ..data.damage_limit import DamageLimit
from ..models.i3d import InceptionI3d
from ..utils import files
from ..utils.errors import reason
from ..video.transforms import CROP_SIZE
from . import video_sets
from .extractor import make_extractor
from .frechet import Gaussian, Moments, frechet_distance
from .video_sets import Video

# Videos that may wait for the model, of each thread that reads.
_BUFFER_SIZE = 2


def reference_clip(frames: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """What the reference implementation of FVD feeds the model.

    Frames are resized without keeping their aspect, as TensorFlow 1's
    `tf.image.resize_bilinear` does: pixels are taken at their top left corners, not at
    their centres, without antialiasing.

    Args:
        frames: uint8 or float32 `(frames, height, width, 3)` in 0..255.
        size: height and width of the result.

    Returns:
        float32 `(frames, size, size, 3)` in [-1, 1].

    Source: `preprocess` of google-research/frechet_video_distance.
    """
    with tf.device("CPU"):
        resized = tf.raw_ops.ResizeBilinear(
            images=frames,
            size=(size, size),
            align_corners=False,
            half_pixel_centers=False,
        )
        return (resized * 2 / 255 - 1).numpy()


def gaussian_of(
    videos: Sequence[Video],
    extract: Callable[[dict[str, np.ndarray]], np.ndarray],
    *,
    batch_size: int = 8,
    threads: int = 1,
    max_damaged: float = 0.0,
    on_video: Callable[[], object] = lambda: None,
) -> tuple[Gaussian, int, dict[str, str]]:
    """The Gaussian of a set of videos.

    Args:
        videos: the set.
        extract: from a batch of clips to their logits, as `make_extractor` makes it.
        batch_size: videos that go through the model at once.
        threads: videos that are read at once.
        max_damaged: share of them that may be unreadable and is left out.
        on_video: called after each video.

    Returns:
        The Gaussian of their logits; the frames that each video has; and why some were
        left out ("NAME: REASON"), by name.

    Raises:
        ValueError: more than `max_damaged` cannot be read, values are not in the range
            that was named, videos differ in length, or they are fewer than two.
        MemoryError: a batch is too large.
    """
    moments, length = Moments(), None
    damage = DamageLimit(len(videos), max_damaged, noun="video")
    readers = (functools.partial(_read, video) for video in videos)
    items = prefetch.in_threads(readers, threads=threads, buffer_size=_BUFFER_SIZE)
    with contextlib.closing(items):
        for (video, count, error), logits in prefetch.in_batches(
            extract, items, batch_size
        ):
            if error:
                damage.add(video.name, f"{video.name}: {error}")
            else:
                length = length or count
                if count != length:
                    raise ValueError(
                        f"{video.name}: has {count} frames, others {length}, and clips "
                        "of other lengths are distributed otherwise; say how many are "
                        "taken of each (--num_frames)"
                    )
                moments.add(logits[None])
            on_video()
    count = len(videos) - len(damage.problems)
    if count < 2:
        raise ValueError(
            f"{videos[0].name}: {count} of the set's videos can be read; a covariance "
            "takes at least two, and a distance that says something thousands"
        )
    return moments.gaussian(), length, damage.problems


def frechet_video_distance(
    real: np.ndarray | str | os.PathLike,
    fake: np.ndarray | str | os.PathLike,
    model: InceptionI3d,
    *,
    num_frames: int | None = None,
    float_range: str | None = None,
    batch_size: int = 8,
) -> float:
    """The Frechet Video Distance between two sets of videos, by the reference protocol.

    Args:
        real: uint8 videos `(number, frames, height, width, 3)`, or a folder of video
            and .npy files; see `video_sets.find`.
        fake: another such set.
        model: the RGB stream, with its `Logits`.
        num_frames: how many frames are taken of each video; by default all.
        float_range: what floating-point values are in: "0..255", "0..1" or "-1..1".
        batch_size: videos that go through the model at once.

    Returns:
        The distance. It falls with the number of videos: compare sets of equal size.

    Raises:
        OSError: a file is not there.
        ValueError: an array is of something else or in another range, videos cannot be
            read, or differ in length.

    Examples:
        >>> model = i3d.load_model(i3d.fetch("rgb_imagenet"))
        >>> i3d.frechet_video_distance("real", "generated", model, num_frames=16)
    """
    extract = make_extractor({"rgb": model}, endpoint="Logits")
    gaussians, lengths = [], []
    for videos in (real, fake):
        options = {"num_frames": num_frames, "float_range": float_range}
        if isinstance(videos, np.ndarray):
            found = video_sets.of_array(videos, **options)
        else:
            found = video_sets.find(videos, **options)
        gaussian, length, _ = gaussian_of(found, extract, batch_size=batch_size)
        gaussians.append(gaussian)
        lengths.append(length)
    check_lengths(*lengths)
    return frechet_distance(*gaussians)


def check_lengths(real: int, fake: int) -> None:
    """Refuses sets whose videos differ in length.

    Raises:
        ValueError: they do.
    """
    if real != fake:
        raise ValueError(
            f"the videos of one set have {real} frames, those of the other {fake}; say "
            "how many are taken of each (--num_frames)"
        )


def save_statistics(
    path: str | os.PathLike, gaussian: Gaussian, settings: dict
) -> None:
    """Writes a set's Gaussian as .npz.

    Args:
        path: the file.
        gaussian: the Gaussian.
        settings: what it follows from, as JSON's types.

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
    try:
        with np.load(path, allow_pickle=False) as arrays:
            settings = json.loads(str(arrays["settings"]))
            parts = {name: arrays[name] for name in Gaussian._fields}
    except OSError:
        raise
    except Exception as error:  # NumPy lets errors of any kind out of broken files.
        raise ValueError(f"{path}: holds no statistics of this program") from error
    return Gaussian(**parts | {"count": int(parts["count"])}), settings


def _read(video):
    """Yields the clip of a video, or why there is none."""
    try:
        frames = video.read()
    except video_sets.RangeError:
        raise
    except (ValueError, OSError) as error:
        yield (video, 0, reason(error, video.name)), None
        return
    yield (video, len(frames), ""), {"rgb": reference_clip(frames)}
