r"""Classifies a clip with the released two-stream I3D.

The release's sample clip, downloaded when absent; without network a small demonstration
of this project's own:
  python evaluate_sample.py --eval_type=joint

Any video file; RGB and TV-L1 optical flow are computed:
  python evaluate_sample.py --video=clip.mp4

The same with models of your own, as kinetics_i3d_tf2.training writes them:
  python evaluate_sample.py --video=clip.mp4 --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best

Prints the norm of the logits and the top classes, each with its probability and its
logit. Results go to standard output, messages to standard error. The exit status is 0,
or 2 with one line on standard error when something is wrong with what was asked.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags, logging
from tqdm import tqdm

from kinetics_i3d_tf2 import (
    arrays,
    flow,
    labels,
    program,
    release,
    storage,
    transforms,
    video,
)
from kinetics_i3d_tf2.architecture import MIN_FRAMES

_ROOT = Path(__file__).resolve().parent
_DEMO_VIDEO = "demo_opening_a_door.mp4"  # In data/, beside another.
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
_WEIGHTS = flags.DEFINE_enum(
    "weights",
    "auto",
    ["auto", "released", "demo"],
    "The released weights; or those of the demonstration, which know eight drawn "
    "actions; or (auto) the demonstration on a clip of its own when the released ones "
    "are not here, cannot be downloaded, and nothing else was named.",
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
_OWN = {
    stream: flags.DEFINE_string(
        f"{stream}_checkpoint",
        None,
        f"Checkpoint of your own for {title}, of any classes and width: its folder or "
        "prefix, with a label_map.txt beside it.",
    )
    for stream, title in (("rgb", "RGB"), ("flow", "optical flow"))
}
_TOP = flags.DEFINE_integer("top", 20, "How many classes to print.", 1)
_DTYPE = flags.DEFINE_enum(
    "dtype",
    "float32",
    ["float32", "bfloat16"],
    "Arithmetic; bfloat16 is faster where the processor has it (AVX-512 BF16, AMX) "
    "and moves logits by about 0.1.",
)
_JSON = flags.DEFINE_string("json", None, "Also write the results to this file.")


class Inputs(NamedTuple):
    """What is run on what."""

    checkpoints: dict[str, Path | str]  # by stream
    video: Path | str | None
    arrays: dict[str, Path | str]  # by stream; none with a video
    is_released: bool  # of the release's classes and size


def main(argv):
    """Evaluates what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    inputs = _inputs()
    streams = _STREAMS[_EVAL_TYPE.value]
    # Cheap things that can be wrong come before dear ones.
    frames = None if inputs.video is None else _read_frames(inputs.video)
    clips = {
        stream: _load_sample(stream, path) for stream, path in inputs.arrays.items()
    }
    models, names = {}, {}
    for stream in streams:
        models[stream], names[stream] = _load_model(stream, inputs)
    if len(set(names.values())) > 1:
        raise ValueError(
            "--rgb_checkpoint and --flow_checkpoint are of different classes: "
            f"{', '.join(map(str, inputs.checkpoints.values()))}"
        )
    names = names[streams[0]]
    if frames is not None:
        clips = {stream: _prepare(stream, frames, inputs.video) for stream in streams}

    # Joint logits are the sum of the two streams', with equal weight.
    logits = sum(_run(stream, models[stream], clips[stream]) for stream in streams)
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    top = labels.top_k(logits, _TOP.value)
    _print_results(logits, probabilities, top, names)
    if _JSON.value is not None:
        _write_json(inputs, logits, probabilities, top, names)


def _check_flags():
    for flag in (_VIDEO, _RGB_SAMPLE, _FLOW_SAMPLE, _CHECKPOINT_DIR, *_OWN.values()):
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
    own = {stream for stream, flag in _OWN.items() if flag.value is not None}
    if own and own != needed | ({"rgb600"} & {_EVAL_TYPE.value}):
        wanted = " and ".join(f"--{stream}_checkpoint" for stream in sorted(needed))
        raise ValueError(
            f"--eval_type={_EVAL_TYPE.value} takes {wanted} and no other checkpoint"
            if _EVAL_TYPE.value != "rgb600"
            else "--eval_type=rgb600 has one checkpoint, the release's; for your own "
            "type --eval_type=rgb"
        )
    named = [f"--{flag.name}" for flag in (*_OWN.values(), _CHECKPOINT_DIR)
             if flag.value is not None]  # fmt: skip
    if own and _CHECKPOINT_DIR.value is not None:
        raise ValueError(f"{' and '.join(named)}: name one or the other")
    if named and _WEIGHTS.present:
        raise ValueError(f"--weights does not go with {named[0]}")
    if _WEIGHTS.value == "demo" and _EVAL_TYPE.value == "rgb600":
        raise ValueError("--weights=demo has no weights of Kinetics-600 (rgb600)")
    if _VIDEO.value is None and (_START.present or _MAX_FRAMES.present):
        raise ValueError("--start and --max_frames cut a --video; none is given")
    if _VIDEO.value is not None and not storage.exists(_VIDEO.value):
        raise FileNotFoundError(f"{_VIDEO.value}: there is no such video file")
    if _JSON.value is not None:
        if _JSON.value == "" or Path(_JSON.value).is_dir():
            raise ValueError(f"--json={_JSON.value}: name a file to write")
        if not Path(_JSON.value).absolute().parent.is_dir():
            raise ValueError(f"--json={_JSON.value}: there is no such folder")


def _inputs():
    """What the flags mean, downloaded where need be."""
    streams = _STREAMS[_EVAL_TYPE.value]
    own = {s: _OWN[s].value for s in streams if _OWN[s].value is not None}
    if own:
        return Inputs(own, _VIDEO.value, _arrays(streams), is_released=False)
    if _WEIGHTS.value == "demo":
        return _demo(streams)
    named = (_VIDEO, _RGB_SAMPLE, _FLOW_SAMPLE, _CHECKPOINT_DIR)
    if (
        _WEIGHTS.value == "released"
        or any(flag.value is not None for flag in named)
        or _IMAGENET_PRETRAINED.present
        or _EVAL_TYPE.value == "rgb600"
    ):
        return _released(streams)
    try:
        return _released(streams, tries=1, timeout=(5.0, 10.0))
    except release.DownloadError as error:
        logging.warning(
            "%s. Instead, this is a demonstration: small weights that know eight drawn "
            "actions, and no class of Kinetics. --weights=released never does this",
            error,
        )
        return _demo(streams)


def _released(streams, **options):
    checkpoints = {stream: _checkpoint(stream, **options) for stream in streams}
    return Inputs(checkpoints, _VIDEO.value, _arrays(streams, **options), True)


def _demo(streams):
    """The demonstration's weights, on its own clip unless another is named."""
    checkpoints = {s: _ROOT / "checkpoints" / f"demo_{s}" for s in streams}
    own = [_VIDEO.value, _RGB_SAMPLE.value, _FLOW_SAMPLE.value]
    if own == [None, None, None]:
        video = _ROOT / "data" / _DEMO_VIDEO
        logging.info("Classifying %s", video.relative_to(_ROOT))
        return Inputs(checkpoints, video, {}, is_released=False)
    return Inputs(checkpoints, _VIDEO.value, _arrays(streams), is_released=False)


def _arrays(streams, **options):
    """The .npy files of the streams: the user's, or the release's sample."""
    if _VIDEO.value is not None:
        return {}
    given = {"rgb": _RGB_SAMPLE.value, "flow": _FLOW_SAMPLE.value}
    return {
        s: given[s] or release.fetch(f"{s}_sample", root=_ROOT, **options)
        for s in streams
    }


def _checkpoint(stream, **options):
    """Prefix of a stream's checkpoint, downloaded when it is the release's own."""
    kind = "imagenet" if _IMAGENET_PRETRAINED.value else "scratch"
    name = f"{stream}_{kind}"
    if _EVAL_TYPE.value == "rgb600":
        name = "rgb_scratch_kin600"
    if _CHECKPOINT_DIR.value is None:
        return release.fetch(name, root=_ROOT, **options)
    prefix = storage.join(_CHECKPOINT_DIR.value, name, "model.ckpt")
    for suffix in (".index", ".data-00000-of-00001"):
        if not storage.exists(prefix + suffix):
            raise FileNotFoundError(
                f"{prefix}{suffix}: is missing; --checkpoint_dir holds a folder {name} "
                "with the release's two files, or files named as those"
            )
    return prefix


def _load_sample(stream, path):
    clip = arrays.read_clip(path, _CHANNELS[stream])
    logging.info("%s data loaded, shape=%s", _title(stream), clip.shape)
    return clip


def _read_frames(path):
    """Frames of a video at 25 a second, uint8, their short side 256."""
    limit = _MAX_FRAMES.value or None
    # One more than wanted tells whether something was left out.
    decoded = video.iter_video(path, start=_START.value, max_frames=limit and limit + 1)
    frames = [
        transforms.resize_short_side(frame)
        for frame in tqdm(decoded, "Reading", unit="frame", leave=False, disable=None)
    ]
    if limit and len(frames) > limit:
        frames = frames[:limit]
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            path, limit / video.FRAME_RATE, _START.value,
        )  # fmt: skip
    if "flow" in _STREAMS[_EVAL_TYPE.value] and len(frames) < 2:
        raise ValueError(
            f"{path}: gives one frame, and optical flow needs two; try "
            "--eval_type=rgb, or a larger --max_frames"
        )
    return np.stack(frames)


def _prepare(stream, frames, path):
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
            path, len(clip), stream, MIN_FRAMES,
        )  # fmt: skip
    return transforms.loop(clip, MIN_FRAMES)[None]


def _load_model(stream, inputs):
    """Function from a clip to logits, with a checkpoint's weights, and class names."""
    path = inputs.checkpoints[stream]
    with program.quiet_tensorflow():
        from kinetics_i3d_tf2 import checkpoint as checkpoints
        from kinetics_i3d_tf2 import inception_i3d, inference, models
    if inputs.is_released:
        names = labels.class_names(600 if _EVAL_TYPE.value == "rgb600" else 400)
        model = inception_i3d.InceptionI3d(len(names), num_channels=_CHANNELS[stream])
        checkpoints.load_checkpoint(model, path)
    else:
        model = models.load_model(path)
        names = models.class_names_of(path)
        if model.num_channels != _CHANNELS[stream]:
            raise ValueError(
                f"{path}: takes {model.num_channels} channels and is not of the "
                f"{_title(stream)} stream, which has {_CHANNELS[stream]}"
            )
    logging.info("%s checkpoint restored", _title(stream))
    if _DTYPE.value == "bfloat16":
        model = inference.freeze(inference.fold_batch_norm(model, dtype="bfloat16"))
    return model, names


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


def _write_json(inputs, logits, probabilities, top, names):
    results = {
        "eval_type": _EVAL_TYPE.value,
        "imagenet_pretrained": _IMAGENET_PRETRAINED.value
        if inputs.is_released
        else None,
        "checkpoints": {s: str(path) for s, path in inputs.checkpoints.items()},
        "video": inputs.video and str(inputs.video),
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
