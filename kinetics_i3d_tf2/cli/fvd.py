r"""Computes the Frechet Video Distance between two sets of videos.

Two folders of videos, the first 16 frames of each:
  i3d fvd REAL FAKE --num_frames=16

Statistics of the real videos are computed once, and then named in their place:
  i3d fvd REAL FAKE --num_frames=16 --save_real=real.npz
  i3d fvd real.npz OTHER --num_frames=16

REAL and FAKE are folders, searched in depth, of video files (any format that FFmpeg
reads, GIF too), of folders of images (one folder a clip) or of .npy files (number,
frames, height, width, 3); or such a .npy file; or statistics. Arrays are uint8 in
0..255, or floating point in the --float_range that you name. Frames are taken as they
are stored, whatever the rate: the first --num_frames of each video, by default all.

The weights are the released rgb_scratch, the network of the reference implementation,
in checkpoints/ of the current folder; if absent, they are downloaded from GitHub or
made from the package index. Only distances with these weights can be compared with
published ones.

--protocol sets how videos become clips:
  reference  as the reference implementation: all frames of all videos, stretched to
             224x224 (default)
  styleganv  as StyleGAN-V: 16 frames of up to 2048 videos, real ones from a random
             frame on, biased covariance
  videogpt   as VideoGPT: 16 frames of 256 videos, short side 224, centre crop
Each uses values in [-1, 1], 400 logits averaged over time, and Gaussians in float64.
The distance falls with the number of videos: compare sets of equal size only.
"""

from absl import flags

from ..features import video_sets
from ..utils import files
from . import output_flags, program
from .flags import chosen_checkpoints, clip_flags, model_flags, reading_flags

for _flag in (
    clip_flags.NUM_FRAMES,
    model_flags.OWN["rgb"],
    model_flags.IMAGENET_PRETRAINED,
    model_flags.CHECKPOINT_DIR,
    model_flags.WEIGHTS,
    model_flags.DTYPE,
):
    flags.declare_key_flag(_flag.name)
reading_flags.declare_for_help(fps=False)
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    "reference",
    ["reference", "styleganv", "videogpt"],
    "How videos become clips, as one of these projects does it.",
)
_SEED = flags.DEFINE_integer(
    "seed", 0, "Seed of the clips and videos that a protocol draws at random.", 0
)
_FLOAT_RANGE = flags.DEFINE_enum(
    "float_range",
    None,
    list(video_sets.RANGES),
    "Range of floating-point values in .npy files. It is checked, never guessed.",
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
_JSON = flags.DEFINE_string(
    "json",
    None,
    "Also write the results to this file; - is standard output, without the rest.",
)


def main(argv):
    """Computes the distance between the two sets."""
    _check(argv[1:])
    path = chosen_checkpoints.find_checkpoints().paths["rgb"]
    with program.quiet_tensorflow():
        from ..features import compare
    options = compare.ComparisonOptions(
        protocol=_PROTOCOL.value,
        num_frames=clip_flags.NUM_FRAMES.value,
        seed=_SEED.value,
        float_range=_FLOAT_RANGE.value,
        dtype=model_flags.dtype(),
        batch_size=_BATCH_SIZE.value,
        num_readers=_NUM_READERS.value,
        max_damaged=_MAX_DAMAGED.value,
        reading=reading_flags.options(),
    )
    save = {name: flag.value for name, flag in _SAVE.items()}
    results = compare.compare_video_sets(*argv[1:], path, options=options, save=save)
    if not output_flags.is_stdout(_JSON):
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
    flags.set_default(model_flags.IMAGENET_PRETRAINED, False)
    model_flags.check()
    for flag, path in zip(_SAVE.values(), paths, strict=True):
        if flag.value is not None and path.endswith(".npz"):
            raise ValueError(f"--{flag.name}: {path} is such a file already")
        if flag.value is not None and not flag.value.endswith(".npz"):
            raise ValueError(f"--{flag.name}={flag.value}: name a .npz file")
    for flag in _SAVE.values():
        output_flags.check(flag)
    output_flags.check(_JSON, stdout=True)


def _print(results):
    print(f"FVD: {program.six_digits(results['fvd'])}")
    for name in _SAVE:
        facts = results[name]
        left_out = f"; {facts['left_out']} left out" if facts["left_out"] else ""
        if facts["damaged"]:
            left_out += f"; {facts['damaged']} with damaged frames"
        number = f"{facts['videos']} videos of {facts['frames']} frames"
        print(f"{name}: {number}, {files.redact(facts['path'])}{left_out}")
    path, identity = results["checkpoint_path"], results["checkpoint"]
    print(f"checkpoint: {path} ({identity}, {results['dtype']})")
    print(f"weights: {results['weights']}")
    seed = f", seed {results['seed']}" if "seed" in results else ""
    print(f"protocol: {results['protocol']}{seed}")
