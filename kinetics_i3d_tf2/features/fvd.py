"""The Frechet Video Distance: sets of videos as Gaussians of a model's logits."""

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import suggest_arguments
from ..checkpoints import released
from ..data import prefetch
from ..data.read_options import ReadOptions
from ..utils.damage_limit import DamageLimit
from ..utils.errors import problem_of
from ..video.damage import Damage
from . import video_sets
from .frechet import Gaussian, Moments, frechet_distance
from .fvd_protocols import REFERENCE, FvdProtocol, find_protocol
from .spans import ShortVideoError
from .video_sets import Video

if TYPE_CHECKING:
    from ..models.i3d import InceptionI3d

# Videos that may wait for the model, of each thread that reads.
_BUFFER_SIZE = 2


def gaussian_of(
    videos: Sequence[Video],
    extract: Callable[[dict[str, np.ndarray]], np.ndarray],
    *,
    protocol: FvdProtocol = REFERENCE,
    batch_size: int = 8,
    threads: int = 1,
    max_damaged: float = 0.0,
    on_video: Callable[[], object] = lambda: None,
    on_damage: Callable[[str, Damage], object] = lambda name, damage: None,
) -> tuple[Gaussian, int, dict[str, str]]:
    """Computes the Gaussian of a set of videos.

    Args:
        videos: the set, of which the first `protocol.num_videos` readable ones count.
        extract: function from a batch of clips to their logits, of `make_extractor`.
        protocol: how videos become clips.
        batch_size: videos that go through the model at once.
        threads: videos that are read at once.
        max_damaged: share of the videos that may be unreadable and is left out.
        on_video: called after each video.
        on_damage: called with the name of a video and the counts of its damaged and
            missing frames, if there are any.

    Returns:
        The Gaussian of their logits; the number of frames that each video has; and why
        some were left out ("NAME: REASON"), by name.

    Raises:
        ValueError: more than `max_damaged` cannot be read, values are outside the given
            range, videos differ in length, or fewer than two are left.
        MemoryError: a batch is too large.
    """
    moments, length, count, left_out = Moments(), None, 0, {}
    unread = DamageLimit(len(videos), max_damaged, noun="video")
    readers = (functools.partial(_read, video, protocol) for video in videos)
    items = prefetch.in_threads(readers, threads=threads, buffer_size=_BUFFER_SIZE)
    with contextlib.closing(items):
        for (video, num_frames, error, damages), logits in prefetch.in_batches(
            extract, items, batch_size
        ):
            for found in damages:
                on_damage(video.name, found)
            if error is None:
                length = length or num_frames
                if num_frames != length:
                    raise ValueError(
                        f"{video.name}: has {num_frames} frames, others {length}, and "
                        "clips of other lengths are distributed otherwise; set how "
                        "many are taken of each (--num_frames)"
                    )
                moments.add(logits[None])
                count += 1
            else:
                problem = f"{video.name}: {problem_of(error, video.name)}"
                left_out[video.name] = problem
                if not (protocol.skips_short and isinstance(error, ShortVideoError)):
                    unread.add(video.name, problem)
            on_video()
            if count == protocol.num_videos:
                break
    if count < 2:
        raise ValueError(
            f"{videos[0].name}: {count} of the set's videos can be read; a covariance "
            "takes at least two, and a distance that says something thousands"
        )
    return moments.gaussian(ddof=protocol.ddof), length, left_out


def find_videos(
    source: str | os.PathLike | np.ndarray,
    protocol: FvdProtocol,
    *,
    is_real: bool,
    num_frames: int | None = None,
    float_range: str | None = None,
    seed: int = 0,
    reading: ReadOptions = ReadOptions(),  # noqa: B008 It is immutable.
) -> Sequence[Video]:
    """Finds the videos of a set, in the order and with the clips of a protocol.

    Args:
        source: an array, or a path as of `video_sets.find`.
        protocol: the protocol.
        is_real: whether they are the real videos.
        num_frames: frames of a clip; by default the protocol's.
        float_range: range of floating-point values, one of `video_sets.RANGES`.
        seed: seed of what the protocol draws.
        reading: limits on single videos.

    Returns:
        The videos; their `read` gives a clip.

    Raises:
        OSError: a file is missing.
        ValueError: as of `video_sets.find`.
    """
    options = {
        "num_frames": num_frames or protocol.num_frames,
        "float_range": float_range,
        "seed": seed if is_real and protocol.random_clips else None,
    }
    if isinstance(source, np.ndarray):
        videos = video_sets.of_array(source, **options)
    else:
        videos = video_sets.find(source, reading=reading, **options)
    return protocol.order(videos, is_real=is_real, seed=seed)


@suggest_arguments
def frechet_video_distance(
    real: np.ndarray | str | os.PathLike,
    fake: np.ndarray | str | os.PathLike,
    model: "InceptionI3d | None" = None,
    *,
    protocol: str = "reference",
    num_frames: int | None = None,
    float_range: str | None = None,
    batch_size: int = 8,
) -> float:
    """Computes the Frechet Video Distance between two sets of videos.

    Args:
        real: uint8 videos `(number, frames, height, width, 3)`, or a folder of video
            and .npy files; see `video_sets.find`.
        fake: another such set.
        model: the RGB stream, with its `Logits`. The default is the released
            `rgb_scratch`, the network of the reference implementation, in
            `checkpoints/` of the current folder; it is downloaded from GitHub or made
            from the package index if it is absent, see `fetch`.
        protocol: "reference", "styleganv" or "videogpt", see `FvdProtocol`.
        num_frames: number of frames taken from each video; by default the protocol's,
            which is all frames for "reference" and 16 for the others.
        float_range: range of floating-point values: "0..255", "0..1" or "-1..1".
        batch_size: videos that go through the model at once.

    Returns:
        The distance. It falls with the number of videos: compare sets of equal size.

    Raises:
        OSError: a file is missing, or `rgb_scratch` cannot be downloaded.
        ValueError: an argument is invalid, values are in another range, or videos
            cannot be read or differ in length.

    Examples:
        >>> i3d.frechet_video_distance("real", "generated", num_frames=16)
    """
    rules = find_protocol(protocol)
    options = {"num_frames": num_frames, "float_range": float_range}
    # Checked before anything is downloaded.
    sets = [
        find_videos(videos, rules, is_real=is_real, **options)
        for videos, is_real in ((real, True), (fake, False))
    ]
    from ..checkpoints.load import load_model
    from .extractor import make_extractor

    if model is None:
        model = load_model(released.fetch("rgb_scratch"))
    extract = make_extractor({"rgb": model}, endpoint="Logits")
    (first, real_frames, _), (second, fake_frames, _) = (
        gaussian_of(videos, extract, protocol=rules, batch_size=batch_size)
        for videos in sets
    )
    check_lengths(real_frames, fake_frames)
    return frechet_distance(first, second)


def check_lengths(real: int, fake: int) -> None:
    """Checks that the videos of two sets have the same length.

    Raises:
        ValueError: they do not.
    """
    if real != fake:
        raise ValueError(
            f"the videos of one set have {real} frames, those of the other {fake}; set "
            "how many are taken of each (--num_frames)"
        )


def _read(video, protocol):
    """Yields the clip of a video and its damage, or the error without one."""
    damages = []
    try:
        frames = video.read(damages.append)
        clip = protocol.prepare(frames)
    except video_sets.RangeError:
        raise
    except Exception as error:  # One bad video must not stop the others.
        yield (video, 0, error, ()), None
        return
    yield (video, len(frames), None, damages), {"rgb": clip}
