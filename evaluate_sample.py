r"""Classifies a clip with the released two-stream I3D.

The release's sample clip, downloaded when absent:
  python evaluate_sample.py --eval_type=joint

Any video file; RGB and TV-L1 optical flow are computed:
  python evaluate_sample.py --video=clip.mp4

Prints the norm of the logits and the top classes, each with its probability and its
logit. Results go to standard output, messages to standard error. The exit status is 0,
or 2 with one line on standard error when something is wrong with what was asked.
"""

import json
from pathlib import Path

import numpy as np
from absl import flags, logging
from tqdm import tqdm

from kinetics_i3d_tf2 import (
    flow,
    labels,
    program,
    release,
    storage,
    transforms,
    video,
)
from kinetics_i3d_tf2.architecture import MIN_FRAMES, MIN_SIZE

_ROOT = Path(__file__).resolve().parent
_STREAMS = {
    "joint": ("rgb", "flow"),
    "rgb": ("rgb",),
    "flow": ("flow",),
    "rgb600": ("rgb",),
}
_CHANNELS = {"rgb": 3, "flow": 2}

_EVAL_TYPE = flags.DEFINE_enum(
    "eval_type",
    "joint",
    list(_STREAMS),
    "Streams to run: both, one of them, or RGB on Kinetics-600.",
)
_IMAGENET_PRETRAINED = flags.DEFINE_boolean(
    "imagenet_pretrained",
    True,
    "Take the checkpoints pre-trained on ImageNet, then Kinetics; with "
    "--imagenet_pretrained=false those of Kinetics alone. rgb600 has one checkpoint "
    "and takes that.",
)
_VIDEO = flags.DEFINE_string(
    "video", None, "Video file to classify, of any format that FFmpeg reads."
)
_START = flags.DEFINE_float("start", 0, "Second of --video to begin at.", 0)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames",
    250,
    "Frames of --video to use, at 25 a second; 250 is a clip of Kinetics. 0 is all; "
    "memory and time grow with it.",
    0,
)
_RGB_SAMPLE = flags.DEFINE_string(
    "rgb_sample",
    None,
    ".npy file for the RGB stream: float (1, frames, height, width, 3) in [-1, 1].",
)
_FLOW_SAMPLE = flags.DEFINE_string(
    "flow_sample",
    None,
    ".npy file for the Flow stream: float (1, frames, height, width, 2) in [-1, 1], "
    "where 1 is 20 pixels a frame.",
)
_CHECKPOINT_DIR = flags.DEFINE_string(
    "checkpoint_dir",
    None,
    "Folder with the checkpoints, laid out as the release's (rgb_imagenet/model.ckpt, "
    "...); nothing is downloaded into it. By default checkpoints/ beside this program, "
    "where what is absent is downloaded.",
)
_TOP = flags.DEFINE_integer("top", 20, "How many classes to print.", 1)
_DTYPE = flags.DEFINE_enum(
    "dtype",
    "float32",
    ["float32", "bfloat16"],
    "Arithmetic; bfloat16 is faster where the processor has it (AVX-512 BF16, AMX) "
    "and moves logits by about 0.1.",
)
_JSON = flags.DEFINE_string("json", None, "Also write the results to this file.")


def main(argv):
    """Evaluates what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    streams = _STREAMS[_EVAL_TYPE.value]
    num_classes = 600 if _EVAL_TYPE.value == "rgb600" else 400
    # Cheap things that can be wrong come before dear ones.
    checkpoints = {stream: _checkpoint(stream) for stream in streams}
    frames = None if _VIDEO.value is None else _read_frames()
    clips = {stream: _load_sample(stream) for stream in streams if frames is None}
    models = {
        stream: _load_model(stream, checkpoints[stream], num_classes)
        for stream in streams
    }
    if frames is not None:
        clips = {stream: _prepare(stream, frames) for stream in streams}

    # Joint logits are the sum of the two streams', with equal weight.
    logits = sum(_run(stream, models[stream], clips[stream]) for stream in streams)
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    top = labels.top_k(logits, _TOP.value)
    names = labels.class_names(num_classes)
    _print_results(logits, probabilities, top, names)
    if _JSON.value is not None:
        _write_json(logits, probabilities, top, names)


def _check_flags():
    for flag in (_VIDEO, _RGB_SAMPLE, _FLOW_SAMPLE, _CHECKPOINT_DIR):
        if flag.value == "":
            raise ValueError(f"--{flag.name}= names nothing; leave it out, or name one")
    samples = {"rgb": _RGB_SAMPLE.value, "flow": _FLOW_SAMPLE.value}
    given = {stream for stream, path in samples.items() if path is not None}
    needed = set(_STREAMS[_EVAL_TYPE.value])
    if _VIDEO.value is not None and given:
        raise ValueError("--video makes both streams; leave --rgb_sample and "
                         "--flow_sample out, or --video")  # fmt: skip
    if given and given != needed:
        wanted = " and ".join(f"--{stream}_sample" for stream in sorted(needed))
        raise ValueError(
            f"--eval_type={_EVAL_TYPE.value} takes {wanted} and no other, so that all "
            "that is run comes from one clip"
        )
    if _VIDEO.value is None and (_START.present or _MAX_FRAMES.present):
        raise ValueError("--start and --max_frames cut a --video; none is given")
    if _VIDEO.value is not None and not storage.exists(_VIDEO.value):
        raise FileNotFoundError(f"{_VIDEO.value}: there is no such video file")
    if _JSON.value is not None:
        if _JSON.value == "" or Path(_JSON.value).is_dir():
            raise ValueError(f"--json={_JSON.value}: name a file to write")
        if not Path(_JSON.value).absolute().parent.is_dir():
            raise ValueError(f"--json={_JSON.value}: there is no such folder")


def _checkpoint(stream):
    """Prefix of a stream's checkpoint, downloaded when it is the release's own."""
    kind = "imagenet" if _IMAGENET_PRETRAINED.value else "scratch"
    name = f"{stream}_{kind}"
    if _EVAL_TYPE.value == "rgb600":
        name = "rgb_scratch_kin600"
    if _CHECKPOINT_DIR.value is None:
        return release.fetch(name, root=_ROOT)
    prefix = storage.join(_CHECKPOINT_DIR.value, name, "model.ckpt")
    for suffix in (".index", ".data-00000-of-00001"):
        if not storage.exists(prefix + suffix):
            raise FileNotFoundError(
                f"{prefix}{suffix}: is missing; --checkpoint_dir holds a folder {name} "
                "with the release's two files, or files named as those"
            )
    return prefix


def _read_frames():
    """Frames of --video at 25 a second, uint8, their short side 256."""
    limit = _MAX_FRAMES.value or None
    # One more than wanted tells whether something was left out.
    decoded = video.iter_video(
        _VIDEO.value, start=_START.value, max_frames=limit and limit + 1
    )
    frames = [
        transforms.resize_short_side(frame)
        for frame in tqdm(decoded, "Reading", unit="frame", leave=False, disable=None)
    ]
    if limit and len(frames) > limit:
        frames = frames[:limit]
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            _VIDEO.value, limit / video.FRAME_RATE, _START.value,
        )  # fmt: skip
    if "flow" in _STREAMS[_EVAL_TYPE.value] and len(frames) < 2:
        raise ValueError(
            f"{_VIDEO.value}: gives one frame, and optical flow needs two; try "
            "--eval_type=rgb, or a larger --max_frames"
        )
    return np.stack(frames)


def _prepare(stream, frames):
    """The clip of a stream, as the release prepared its own."""
    if stream == "rgb":
        clip = transforms.normalize_rgb(transforms.center_crop(frames))
    else:
        logging.info("Computing TV-L1 flow of %d frame pairs", len(frames) - 1)
        displacement = flow.optical_flow(frames, progress=True)
        clip = flow.normalize_flow(transforms.center_crop(displacement))
    if len(clip) < MIN_FRAMES:
        logging.warning(
            "%s: looping %d frames of %s to %d",
            _VIDEO.value, len(clip), stream, MIN_FRAMES,
        )  # fmt: skip
    return transforms.loop(clip, MIN_FRAMES)[None]


def _load_sample(stream):
    """The clip in a .npy file: the user's, or the release's sample."""
    path = {"rgb": _RGB_SAMPLE, "flow": _FLOW_SAMPLE}[stream].value
    path = path or release.fetch(f"{stream}_sample", root=_ROOT)
    try:
        with storage.open_file(path, "rb") as file:
            clip = np.load(file, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # NumPy lets errors of any kind out of broken files.
        raise ValueError(f"{path}: is not a whole .npy file of numbers") from error
    if not isinstance(clip, np.ndarray):
        raise ValueError(f"{path}: is a .npz archive; save the one array with np.save")
    _check_sample(path, clip, _CHANNELS[stream])
    logging.info("%s data loaded, shape=%s", _title(stream), clip.shape)
    return clip.astype(np.float32)


def _check_sample(path, clip, channels):
    shape = f"(1, frames, height, width, {channels})"
    if clip.ndim != 5 or clip.shape[0] != 1 or clip.shape[-1] != channels:
        raise ValueError(f"{path}: shape {clip.shape}, expected {shape}")
    if clip.shape[1] < MIN_FRAMES or min(clip.shape[2:4]) < MIN_SIZE:
        raise ValueError(
            f"{path}: shape {clip.shape}, expected {shape} with at least {MIN_FRAMES} "
            f"frames of {MIN_SIZE} pixels a side"
        )
    mend = "scale RGB with x / 127.5 - 1, and flow with clip(x, -20, 20) / 20"
    if not np.issubdtype(clip.dtype, np.floating):
        raise ValueError(f"{path}: {clip.dtype}, expected float in [-1, 1]; {mend}")
    low, high = clip.min(), clip.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{path}: holds NaN or infinity, expected [-1, 1]")
    if low < -1.001 or high > 1.001:  # A little is left for rounding.
        raise ValueError(
            f"{path}: values in [{low:g}, {high:g}], expected [-1, 1]; {mend}"
        )
    if low >= 0 and high > 0.5:
        logging.warning(
            "%s: no value is below 0; the streams expect [-1, 1], not [0, 1]", path
        )


def _load_model(stream, checkpoint, num_classes):
    """Function from a clip to logits, with the checkpoint's weights."""
    with program.quiet_tensorflow():
        from kinetics_i3d_tf2 import checkpoint as checkpoints
        from kinetics_i3d_tf2 import inception_i3d, inference
    model = inception_i3d.InceptionI3d(num_classes, num_channels=_CHANNELS[stream])
    checkpoints.load_checkpoint(model, checkpoint)
    logging.info("%s checkpoint restored", _title(stream))
    if _DTYPE.value == "bfloat16":
        return inference.freeze(inference.fold_batch_norm(model, dtype="bfloat16"))
    return model


def _run(stream, model, clip):
    """Logits of one clip, float32 `(num_classes,)`."""
    logging.info("Running %s on %d frames", _title(stream), clip.shape[1])
    return np.asarray(model(clip), np.float32)[0]


def _print_results(logits, probabilities, top, names):
    print(f"Norm of logits: {np.linalg.norm(logits):f}")
    print("\nTop classes and probabilities")
    for index in top:
        print(_number(probabilities[index]), _number(logits[index]), names[index])


def _number(value):
    """Six digits, as the release's NumPy printed a float32: 1.0, 41.8137, 1.5e-09."""
    text = f"{value:.6g}"
    return text + ".0" if text.lstrip("-").isdigit() else text


def _write_json(logits, probabilities, top, names):
    results = {
        "eval_type": _EVAL_TYPE.value,
        "imagenet_pretrained": _IMAGENET_PRETRAINED.value,
        "video": _VIDEO.value,
        "dtype": _DTYPE.value,
        "norm_of_logits": float(np.linalg.norm(logits)),
        "top": [
            {
                "class": names[index],
                "index": int(index),
                "probability": float(probabilities[index]),
                "logit": float(logits[index]),
            }
            for index in top
        ],
    }
    with storage.atomic_writer(_JSON.value) as path:
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _title(stream):
    return {"rgb": "RGB", "flow": "Flow"}[stream]


if __name__ == "__main__":
    program.run(main)
