r"""Classifies a clip with the released two-stream I3D.

The release's sample clip, downloaded when absent; without network a small demonstration
of this project's own:
  python evaluate_sample.py --eval_type=joint

Any video file; RGB and TV-L1 optical flow are computed:
  python evaluate_sample.py --video=clip.mp4

The same with models of your own, as i3d train writes them:
  python evaluate_sample.py --video=clip.mp4 --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best

The same as a page that shows where and when the network finds the classes:
  python evaluate_sample.py --video=clip.mp4 --report=clip.html

Prints the norm of the logits and the top classes, each with its probability and its
logit. Results go to standard output, messages to standard error. The exit status is 0,
or 2 with one line on standard error when something is wrong with what was asked.
"""

import functools
import os
from pathlib import Path

import numpy as np
from absl import flags, logging
from tqdm import tqdm

from kinetics_i3d_tf2.checkpoints import released
from kinetics_i3d_tf2.cli import clip_flags, model_flags, program
from kinetics_i3d_tf2.data import clip_recipe, labels, npy, preprocessing
from kinetics_i3d_tf2.models.architecture import MIN_FRAMES
from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.video import optical_flow, reader
from kinetics_i3d_tf2.visualization import clip_page, plots

_ROOT = Path(__file__).resolve().parent
_DEMO_VIDEO = "demo_opening_a_door.mp4"  # In data/, beside another.

model_flags.declare_for_help()
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
_JSON = flags.DEFINE_string("json", None, "Also write the results to this file.")
_REPORT = flags.DEFINE_string(
    "report",
    None,
    "Also write a page (.html) that shows frames, flow and classes, and when and where "
    "the network finds them. Needs the extra plot.",
)

_SAMPLES = {"rgb": _RGB_SAMPLE, "flow": _FLOW_SAMPLE}


def main(argv):
    """Evaluates what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    streams = model_flags.streams()
    inputs = (_VIDEO, *_SAMPLES.values())
    has_input = any(flag.value is not None for flag in inputs)
    checkpoints = model_flags.find_checkpoints(_ROOT, may_demonstrate=not has_input)
    path = _VIDEO.value
    if checkpoints.kind == "demo" and not has_input:
        path = _ROOT / "data" / _DEMO_VIDEO
        logging.info("Classifying %s", path.relative_to(_ROOT))
    # Cheap things that can be wrong come before dear ones.
    frames = None if path is None else _read_frames(path)
    clips = {} if path is not None else {s: _load_sample(s) for s in streams}
    models, names = model_flags.load_models(checkpoints)
    if frames is not None:
        clips = {stream: _prepare(stream, frames, path) for stream in streams}

    # Joint logits are the sum of the two streams', with equal weight.
    outputs = {s: _run(s, models[s], clips[s]) for s in streams}
    logits = sum(output["Logits"] for output in outputs.values())
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    top = labels.top_k(logits, model_flags.TOP.value)
    _print_results(logits, probabilities, top, names)
    if _JSON.value is not None:
        _write_json(checkpoints, path, logits, probabilities, top, names)
    if _REPORT.value is not None:
        verdict = _verdict(checkpoints, path, logits, top, names)
        seen = {s: _seen(models[s], clips[s], outputs[s]) for s in streams}
        clip_page.write(_REPORT.value, verdict, seen)
        logging.info("The page is %s", _REPORT.value)


def _check_flags():
    for flag in (_VIDEO, *_SAMPLES.values()):
        if flag.value == "":
            raise ValueError(f"--{flag.name}= names nothing; leave it out, or name one")
    given = {stream for stream, flag in _SAMPLES.items() if flag.value is not None}
    if _VIDEO.value is not None and given:
        raise ValueError("--video makes both streams; leave --rgb_sample and "
                         "--flow_sample out, or --video")  # fmt: skip
    needed = set(model_flags.streams())
    if given and given != needed:
        wanted = " and ".join(f"--{stream}_sample" for stream in sorted(needed))
        raise ValueError(
            f"--eval_type={model_flags.eval_type()} takes {wanted} and no other, "
            "so that all that is run comes from one clip"
        )
    for flag in (clip_flags.MODEL, clip_flags.NUM_FRAMES, clip_flags.RGB_STRIDE):
        if flag.present:
            raise ValueError(
                f"--{flag.name}: this program runs I3D on all frames; run others by "
                "i3d evaluate, on a dataset"
            )
    model_flags.check()
    if _VIDEO.value is None and (_START.present or _MAX_FRAMES.present):
        raise ValueError("--start and --max_frames cut a --video; none is given")
    if _VIDEO.value is not None and not files.exists(_VIDEO.value):
        raise FileNotFoundError(f"{_VIDEO.value}: there is no such video file")
    program.check_output(_JSON)
    program.check_output(_REPORT)
    if _REPORT.value is not None and not plots.is_installed():
        raise ValueError(f"--report needs matplotlib: {plots.INSTALL}")


def _load_sample(stream):
    """The clip in a .npy file: the user's, or the release's sample."""
    try:
        path = _SAMPLES[stream].value or released.fetch(f"{stream}_sample", root=_ROOT)
    except released.DownloadError as error:
        raise OSError(
            f"{error}; or name a --video, or see the demonstration: --weights=demo"
        ) from error
    clip = npy.read_clip(path, clip_recipe.CHANNELS[stream])
    logging.info("%s data loaded, shape=%s", model_flags.title(stream), clip.shape)
    return clip


def _read_frames(path):
    """Frames of a video at 25 a second, uint8, their short side 256."""
    limit = _MAX_FRAMES.value or None
    # One more than wanted tells whether something was left out.
    decoded = reader.iter_video(
        path, start=_START.value, max_frames=limit and limit + 1
    )
    decoded = tqdm(decoded, "Reading", unit="frame", leave=False, disable=None)
    frames = list(preprocessing.resize(decoded))
    if limit and len(frames) > limit:
        frames = frames[:limit]
        logging.warning(
            "%s is longer: using %g seconds from second %g (--start, --max_frames)",
            path, limit / reader.FRAME_RATE, _START.value,
        )  # fmt: skip
    if "flow" in model_flags.streams() and len(frames) < 2:
        raise ValueError(
            f"{path}: gives one frame, and optical flow needs two; try "
            "--eval_type=rgb, or a larger --max_frames"
        )
    return np.stack(frames)


def _prepare(stream, frames, path):
    """The clip of a stream, as the release prepared its own."""
    count = len(frames) - (stream == "flow")
    if stream == "flow":
        logging.info("Computing TV-L1 flow of %d frame pairs", count)
    if count < MIN_FRAMES:
        logging.warning(
            "%s: looping %d frames of %s to %d", path, count, stream, MIN_FRAMES
        )
    recipe = clip_recipe.ClipRecipe(stream)
    compute = functools.partial(optical_flow.optical_flow, progress=True)
    return preprocessing.model_input(frames, recipe, compute_flow=compute)[stream][None]


def _run(stream, model, clip):
    """Logits of one clip, float32 `(num_classes,)`; for a page, the last block too."""
    endpoints = ["Logits"]
    if _REPORT.value is not None:
        from kinetics_i3d_tf2.models import class_activation_maps

        endpoints.append(class_activation_maps.ENDPOINT)
    model = model.endpoint_model(endpoints)
    if model_flags.DTYPE.value == "bfloat16":
        from kinetics_i3d_tf2.inference import graph

        model = graph.freeze(graph.fold_batch_norm(model, dtype="bfloat16"))
    name = model_flags.title(stream)
    logging.info("Running %s on %d frames", name, clip.shape[1])
    outputs = model(clip)
    return {name: np.asarray(outputs[name], np.float32)[0] for name in endpoints}


def _print_results(logits, probabilities, top, names):
    print(f"Norm of logits: {np.linalg.norm(logits):f}")
    print("\nTop classes and probabilities")
    for index in top:
        numbers = probabilities[index], logits[index]
        print(*map(program.six_digits, numbers), names[index])


def _write_json(checkpoints, path, logits, probabilities, top, names):
    is_released = checkpoints.kind == "released"
    pretrained = model_flags.IMAGENET_PRETRAINED.value if is_released else None
    results = {
        "eval_type": model_flags.eval_type(),
        "imagenet_pretrained": pretrained,
        "checkpoints": {stream: str(p) for stream, p in checkpoints.paths.items()},
        "video": path and str(path),
        "dtype": model_flags.DTYPE.value,
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
    files.write_json(_JSON.value, results)


def _verdict(checkpoints, path, logits, top, names):
    """What the page says of the clip as a whole."""
    if path is None:
        inputs = [str(flag.value) for flag in _SAMPLES.values() if flag.value]
        path = ", ".join(inputs) or "the release's sample clip"
    else:
        path = Path(path).name
    weights = ", ".join(
        os.path.relpath(p, _ROOT) if Path(p).is_relative_to(_ROOT) else str(p)
        for p in checkpoints.paths.values()
    )
    is_demo = checkpoints.kind == "demo"
    facts = [
        f"{model_flags.eval_type()} by I3D, {model_flags.DTYPE.value}",
        f"Weights: {weights}" + " (the demonstration's eight drawn actions)" * is_demo,
    ]
    return clip_page.Verdict(path, facts, names, logits, top, _START.value)


def _seen(model, clip, outputs):
    """What the page shows of a stream."""
    from kinetics_i3d_tf2.models import class_activation_maps

    features = outputs[class_activation_maps.ENDPOINT][None]
    return clip_page.Stream(
        clip[0],
        class_activation_maps.maps(model, features)[0],
        class_activation_maps.over_time(model, features)[0],
    )


if __name__ == "__main__":
    program.run(main)
