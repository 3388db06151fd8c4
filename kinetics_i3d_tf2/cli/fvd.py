r"""Computes the Frechet Video Distance between two sets of videos.

Two folders of videos, the first 16 frames of each:
  i3d fvd REAL FAKE --num_frames=16

Statistics of the real videos are computed once, and then named in their place:
  i3d fvd REAL FAKE --num_frames=16 --save_real=real.npz
  i3d fvd real.npz OTHER --num_frames=16

REAL and FAKE are folders, searched in depth, of video files (any format that FFmpeg
reads, GIF too) or of .npy files (number, frames, height, width, 3); or such a .npy
file; or statistics. Arrays are uint8 in 0..255, or floating point in the --float_range
that you name. Frames are taken as they are stored, whatever the rate: the first
--num_frames of each video, by default all.

The protocol is the reference implementation's: frames resized to 224x224 without
keeping their aspect, values in [-1, 1], 400 logits averaged over time, Gaussians with
unbiased covariances in float64. The distance falls with the number of videos: compare
sets of equal size only.
"""

from absl import flags, logging
from tqdm import tqdm

from ..features import video_sets
from ..features.frechet import frechet_distance
from ..utils import files
from ..utils.cores import num_cores
from . import chosen_checkpoints, clip_flags, model_flags, program

for _flag in (
    clip_flags.NUM_FRAMES,
    model_flags.OWN["rgb"],
    model_flags.IMAGENET_PRETRAINED,
    model_flags.CHECKPOINT_DIR,
    model_flags.WEIGHTS,
    model_flags.DTYPE,
):
    flags.declare_key_flag(_flag.name)
_FLOAT_RANGE = flags.DEFINE_enum(
    "float_range",
    None,
    list(video_sets.RANGES),
    "What floating-point values of .npy files are in. It is checked, never guessed.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 8, "Videos that go through the model at once.", 1
)
_NUM_READERS = flags.DEFINE_integer(
    "num_readers", None, "Videos that are read at once; by default one a core.", 1
)
_MAX_DAMAGED = flags.DEFINE_float(
    "max_damaged",
    0.0,
    "Share of the videos that may be unreadable; they are left out, and counted.",
    0,
    1,
)
_SAVE = {
    name: flags.DEFINE_string(
        f"save_{name}", None, f"Write the statistics of the {name} videos to this .npz."
    )
    for name in ("real", "fake")
}
_JSON = flags.DEFINE_string("json", None, "Also write the results to this file.")

# Below so many videos for each logit, their covariance says little.
_FEW = 2

_NOTE = (
    "The distance depends on the weights. Published figures mostly use the TF-Hub "
    "module deepmind/i3d-kinetics-400, whose weights are the released rgb_scratch: "
    "--imagenet_pretrained=false takes them."
)


def main(argv):
    """Computes what the arguments ask for."""
    _check(argv[1:])
    path = chosen_checkpoints.find_checkpoints().paths["rgb"]
    with program.quiet_tensorflow():
        from ..checkpoints.checkpoint import Checkpoint

        checkpoint = Checkpoint(path).require("rgb")
    settings = {
        "checkpoint": checkpoint.fingerprint,
        "dtype": model_flags.dtype(),
        "protocol": "Logits of 224x224, reference resizing",
    }
    sets = {}
    for name, source in zip(_SAVE, argv[1:], strict=True):
        # Cheap things that can be wrong come before dear ones.
        if source.endswith(".npz"):
            sets[name] = _load(source, settings)
        else:
            sets[name] = video_sets.find(
                source,
                num_frames=clip_flags.NUM_FRAMES.value,
                float_range=_FLOAT_RANGE.value,
            )
    with program.quiet_tensorflow():
        from ..features import extractor, fvd
    extract = extractor.make_extractor(
        {"rgb": checkpoint.build_model()},
        endpoint="Logits",
        dtype=model_flags.dtype(),
    )
    gaussians, facts = {}, {}
    for name, videos in sets.items():
        if isinstance(videos, list):
            gaussian, facts[name] = _measure(name, videos, extract)
            if _SAVE[name].value:
                fvd.save_statistics(_SAVE[name].value, gaussian, settings | facts[name])
        else:
            gaussian, facts[name] = videos
        gaussians[name] = gaussian
    fvd.check_lengths(*(facts[name]["frames"] for name in sets))
    _warn(gaussians)
    results = {
        "fvd": frechet_distance(gaussians["real"], gaussians["fake"]),
        **{
            name: {"path": source, "videos": gaussians[name].count, **facts[name]}
            for name, source in zip(sets, argv[1:], strict=True)
        },
        **settings,
        "checkpoint_path": str(path),
        "note": _NOTE,
    }
    _print(results)
    if _JSON.value is not None:
        files.write_json(_JSON.value, results)


def _check(paths):
    if len(paths) != 2:
        raise ValueError(
            "name two sets of videos: i3d fvd REAL FAKE. "
            f"Received: {' '.join(paths) or 'none'}"
        )
    if model_flags.EVAL_TYPE.value not in (None, "rgb"):
        raise ValueError("--eval_type: the distance is of the RGB stream's logits")
    if clip_flags.MODEL.value != "i3d":
        raise ValueError("--model: the distance is of i3d's logits")
    flags.set_default(model_flags.EVAL_TYPE, "rgb")
    model_flags.check()
    for flag, path in zip(_SAVE.values(), paths, strict=True):
        if flag.value is not None and path.endswith(".npz"):
            raise ValueError(f"--{flag.name}: {path} is such a file already")
        if flag.value is not None and not flag.value.endswith(".npz"):
            raise ValueError(f"--{flag.name}={flag.value}: name a .npz file")
    for flag in (*_SAVE.values(), _JSON):
        program.check_output(flag)


def _load(path, settings):
    """Statistics that are of the same model and protocol, and what they are of."""
    with program.quiet_tensorflow():
        from ..features import fvd
    gaussian, found = fvd.load_statistics(path)
    for key, value in settings.items():
        if found.get(key) != value:
            raise ValueError(
                f"{path}: is of the {key} {found.get(key)}, and now it is {value}; "
                "compute it anew, with --save_real or --save_fake"
            )
    wanted = clip_flags.NUM_FRAMES.value
    if wanted not in (None, found["frames"]):
        raise ValueError(
            f"{path}: is of videos of {found['frames']} frames, not of "
            f"--num_frames={wanted}"
        )
    return gaussian, {key: found[key] for key in ("frames", "left_out")}


def _measure(name, videos, extract):
    """The Gaussian of a set, and what it is of, with a progress bar."""
    from ..features import fvd

    with tqdm(desc=f"{name:4}", total=len(videos), unit="video") as bar:
        gaussian, frames, errors = fvd.gaussian_of(
            videos,
            extract,
            batch_size=_BATCH_SIZE.value,
            threads=_NUM_READERS.value or num_cores(),
            max_damaged=_MAX_DAMAGED.value,
            on_video=bar.update,
        )
    return gaussian, {"frames": frames, "left_out": len(errors)}


def _print(results):
    print(f"FVD: {program.six_digits(results['fvd'])}")
    for name in _SAVE:
        facts = results[name]
        left_out = f"; {facts['left_out']} left out" * bool(facts["left_out"])
        number = f"{facts['videos']} videos of {facts['frames']} frames"
        print(f"{name}: {number}, {facts['path']}{left_out}")
    path, identity = results["checkpoint_path"], results["checkpoint"]
    print(f"checkpoint: {path} ({identity}, {results['dtype']})")
    print(results["note"])


def _warn(gaussians):
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
