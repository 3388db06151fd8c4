"""Two sets of videos compared by the Frechet Video Distance, their statistics kept."""

import dataclasses
import os
from collections.abc import Mapping

from absl import logging

from ..arguments import suggest_arguments
from ..checkpoints.pretrained import open_weights
from ..data.read_options import ReadOptions
from ..utils.cores import num_cores
from ..utils.progress import Bar
from . import fvd, fvd_statistics
from .frechet import frechet_distance
from .fvd_protocols import FvdProtocol, find_protocol

# With fewer videos for each logit, their covariance is unreliable.
_FEW = 2
# Of the released rgb_scratch, whoever wrote the file: see `Checkpoint.fingerprint`.
RGB_SCRATCH = "4fcd08b3e140f026"


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class ComparisonOptions:
    """How sets of videos are read and compared.

    Attributes:
        protocol: "reference", "styleganv" or "videogpt", see `FvdProtocol`.
        num_frames: frames of every video; by default the protocol's, which for
            "reference" is the length that all share.
        seed: seed of what the protocol draws.
        float_range: range of floating-point values in .npy files, one of
            `video_sets.RANGES`.
        dtype: "float32" or "bfloat16".
        batch_size: videos that go through the model at once.
        num_readers: videos that are read at once; by default one for each processor.
        max_damaged: share of the videos that may be unreadable, 0 to 1.
        reading: limits on single videos.
    """

    protocol: str = "reference"
    num_frames: int | None = None
    seed: int = 0
    float_range: str | None = None
    dtype: str = "float32"
    batch_size: int = 8
    num_readers: int | None = None
    max_damaged: float = 0.0
    reading: ReadOptions = ReadOptions()


@suggest_arguments
def compare_video_sets(
    real: str | os.PathLike,
    fake: str | os.PathLike,
    checkpoint: str | os.PathLike,
    *,
    options: ComparisonOptions = ComparisonOptions(),  # noqa: B008
    save: Mapping[str, str | None] | None = None,
) -> dict:
    """Computes the Frechet Video Distance between two sets of videos.

    Args:
        real: a folder of videos, a .npy file, or statistics (.npz) that were saved.
        fake: the same, of the other videos.
        checkpoint: an RGB checkpoint.
        options: how the sets are read and compared.
        save: files for the statistics of "real" and "fake", if they are to be kept.

    Returns:
        "fvd"; for "real" and "fake" the path, the number of videos and their frames,
        how many were left out, and how many have damaged or missing frames; "weights",
        a sentence on what the distance can be compared with; and the settings, as JSON
        types.

    Raises:
        OSError: a file is missing, or cannot be read or written.
        ValueError: an option is invalid, a set is unusable, too many videos are
            unreadable, the lengths of the sets differ, or statistics are of another
            model or protocol.

    Example:
        >>> compare_video_sets("real", "fake", "checkpoints/rgb_scratch")["fvd"]
    """
    protocol = find_protocol(options.protocol)
    opened = open_weights(checkpoint).require("rgb")
    opened.require_data()
    settings = {
        "checkpoint": opened.fingerprint,
        "dtype": options.dtype,
        "protocol": protocol.name,
    }
    if protocol.is_random:
        settings["seed"] = options.seed
    sources = {"real": os.fspath(real), "fake": os.fspath(fake)}
    # Statistics and lists of videos are validated before anything is computed.
    sets = {
        name: _open(name, path, settings, protocol, options)
        for name, path in sources.items()
    }
    # Before the videos are read, as they may be replaced meanwhile.
    origins = {
        name: fvd_statistics.describe_source(path)
        for name, path in sources.items()
        if save and save.get(name)
    }
    extract = None
    if not all(isinstance(videos, tuple) for videos in sets.values()):
        extract = _make_extractor(opened, options.dtype)
    gaussians, facts = {}, {}
    for name, videos in sets.items():
        if isinstance(videos, tuple):
            gaussians[name], facts[name] = videos
            continue
        gaussians[name], facts[name] = _measure(
            name, videos, extract, protocol, options
        )
        if save and save.get(name):
            facts_of_set = settings | facts[name] | {"source": origins[name]}
            fvd_statistics.save_statistics(save[name], gaussians[name], facts_of_set)
    fvd.check_lengths(*(facts[name]["frames"] for name in sets))
    _warn(gaussians, protocol)
    return {
        "fvd": frechet_distance(gaussians["real"], gaussians["fake"]),
        **{
            name: {"path": path, "videos": gaussians[name].count, **facts[name]}
            for name, path in sources.items()
        },
        **settings,
        "checkpoint_path": str(checkpoint),
        "weights": describe_weights(opened.fingerprint),
    }


def _make_extractor(checkpoint, dtype):
    from .extractor import make_extractor  # Saved statistics need no TensorFlow.

    models = {"rgb": checkpoint.build_model(dtype="float32")}
    return make_extractor(models, endpoint="Logits", dtype=dtype)


def describe_weights(fingerprint: str) -> str:
    """Describes what distances with some weights can be compared with.

    Args:
        fingerprint: `Checkpoint.fingerprint` of the weights.
    """
    if fingerprint == RGB_SCRATCH:
        return (
            "rgb_scratch of the release, bit-equal to TF-Hub's "
            "deepmind/i3d-kinetics-400, the network of the reference implementation"
        )
    return (
        "not those of the reference implementation: the distance cannot be compared "
        "with published ones, which use the released rgb_scratch"
    )


def _open(name, path, settings, protocol, options):
    """The videos of a set, or the tuple of saved statistics and their settings."""
    if not path.endswith(".npz"):
        return fvd.find_videos(
            path,
            protocol,
            is_real=name == "real",
            num_frames=options.num_frames,
            float_range=options.float_range,
            seed=options.seed,
            reading=options.reading,
        )
    gaussian, found = fvd_statistics.load_statistics(path)
    for key, value in settings.items():
        if found.get(key) != value:
            raise ValueError(
                f"{path}: is of the {key} {found.get(key)}, and now it is {value}; "
                "compute it again, with --save_real or --save_fake"
            )
    fvd_statistics.warn_of_changes(path, found)
    wanted = options.num_frames or protocol.num_frames
    if wanted not in (None, found["frames"]):
        raise ValueError(
            f"{path}: is of videos of {found['frames']} frames, not of "
            f"--num_frames={wanted}"
        )
    # Statistics of older versions have no count of damaged videos.
    facts = {"damaged": 0} | found
    return gaussian, {key: facts[key] for key in ("frames", "left_out", "damaged")}


def _measure(name, videos, extract, protocol, options):
    """The Gaussian of a set and facts about it, with a progress bar."""
    total = min(len(videos), protocol.num_videos or len(videos))
    damaged = []
    with Bar(desc=f"{name:4}", total=total, unit="video") as bar:
        gaussian, frames, errors = fvd.gaussian_of(
            videos,
            extract,
            protocol=protocol,
            batch_size=options.batch_size,
            threads=options.num_readers or num_cores(),
            max_damaged=options.max_damaged,
            on_video=bar.update,
            on_damage=lambda video, damage: damaged.append(video),
        )
    facts = {"frames": frames, "left_out": len(errors), "damaged": len(damaged)}
    return gaussian, facts


def _warn(gaussians: dict, protocol: FvdProtocol):
    for name, gaussian in gaussians.items():
        if protocol.num_videos and gaussian.count < protocol.num_videos:
            logging.warning(
                "%d %s videos; figures published with the protocol %s use %d",
                gaussian.count, name, protocol.name, protocol.num_videos,
            )  # fmt: skip
    dimensions = len(gaussians["real"].mean)
    few = {n: g.count for n, g in gaussians.items() if g.count < _FEW * dimensions}
    for name, count in few.items():
        logging.warning(
            "%d %s videos are few for a covariance of %d logits: the distance comes "
            "out too large; take at least %d, better thousands",
            count, name, dimensions, _FEW * dimensions,
        )  # fmt: skip
    real, fake = (gaussian.count for gaussian in gaussians.values())
    if real != fake:
        logging.warning(
            "%d real and %d fake videos: the distance depends on both numbers",
            real,
            fake,
        )
