r"""Labels videos with the two-stream I3D.

Any video file; RGB and TV-L1 optical flow are computed:
  i3d classify --video=clip.mp4

Many videos, as a table with a row for each; stopped, the same command goes on:
  i3d classify videos/ more/*.mp4 --eval_type=rgb --out=labels.csv

A long video, window by window, with captions for a player:
  i3d classify film.mp4 --window=2.56 --stride=1 --out=film.csv --captions=film.vtt

RGB alone, which is much faster:
  i3d classify --video=clip.mp4 --eval_type=rgb

With models of your own, as i3d train writes them:
  i3d classify --video=clip.mp4 --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best

As a page that shows where and when the network finds the classes:
  i3d classify --video=clip.mp4 --report=clip.html

A camera or a stream, the newest seconds again and again:
  i3d classify rtsp://camera/stream --eval_type=rgb --every=2

Of one video it prints the norm of the logits and the top classes, each with its
probability and its logit. Results go to standard output, messages to standard error.
"""

import functools
from pathlib import Path

from absl import flags, logging
from tqdm import tqdm

from ..checkpoints import released
from ..data import labels, npy
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..streams import CHANNELS, title
from ..utils import files
from ..video.ffmpeg import is_stdin
from ..visualization import clip_page, plots
from . import classify_live, classify_table, program, results_file
from .flags import (
    chosen_checkpoints,
    clip_flags,
    flow_flags,
    label_flags,
    model_flags,
    reading_flags,
)

_DEMO_VIDEO = "demo_opening_a_door.mp4"  # In data/, with another.

model_flags.declare_for_help()
flow_flags.declare_for_help()
label_flags.declare_for_help()
classify_live.declare_for_help()
reading_flags.declare_for_help()
_VIDEO = flags.DEFINE_string(
    "video",
    None,
    "Video to classify: a file of any format that FFmpeg reads, a folder of images, or "
    "- for standard input.",
)
_START = flags.DEFINE_float("start", 0, "Second of --video to begin at.", 0)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames",
    250,
    "Frames of --video to use, at 25 a second; 250 is a clip of Kinetics. 0 is all; "
    "more than 320 go through the network in pieces, with the same result.",
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


def main(argv, *, root="."):
    """Classifies what the flags name.

    Args:
        argv: positional arguments: the program, and videos.
        root: folder that holds checkpoints/ and data/.
    """
    program.reject_values_of_switches(argv)
    names = argv[1:] if _VIDEO.value is None else [_VIDEO.value, *argv[1:]]
    if classify_live.is_wanted(names):
        label_flags.check_inputs(names, (*_SAMPLES.values(), _JSON, _REPORT))
        classify_live.main(names, root=root)
    if label_flags.is_wanted(names if argv[1:] else []):
        label_flags.check_inputs(names, (*_SAMPLES.values(), _JSON, _REPORT))
        classify_table.main(
            names,
            root=root,
            start=_START.value,
            max_frames=_MAX_FRAMES.value or None,
        )
        return
    if argv[1:] and _VIDEO.value is None:
        flags.FLAGS.video = argv[1]
    _check_flags()
    has_input = any(f.value is not None for f in (_VIDEO, *_SAMPLES.values()))
    checkpoints = chosen_checkpoints.find_checkpoints(
        root, may_demonstrate=not has_input, may_substitute=True
    )
    path = _VIDEO.value
    if not has_input and _lacks_sample(checkpoints, root):
        path = Path(root) / "data" / _DEMO_VIDEO
        logging.info("Classifying %s", path.relative_to(root))
    # Reading the input is cheap, and it may be wrong.
    found_damage = []
    if path is None:
        clips = {stream: _load_sample(stream, root) for stream in model_flags.streams()}
    else:
        frames, found_damage = _read_frames(path)
    classifier = _load(checkpoints)
    wanted = {"endpoints": _endpoints(), "show": clip_page.FRAMES}
    if path is None:
        done = classifier.run_clips(clips, **wanted)
    else:
        recipe = flow_flags.apply(classifier.recipe)
        done = classifier.run_frames(frames, recipe=recipe, progress=True, **wanted)
    damage = found_damage[-1] if found_damage else None
    scores = classifier.scores_of(done.outputs)
    top = labels.top_k(scores.logits, model_flags.TOP.value)
    results_file.print_results(scores, top)
    if _JSON.value is not None:
        results_file.write_json(_JSON.value, checkpoints, path, scores, top, damage)
    if _REPORT.value is not None:
        inputs = [str(flag.value) for flag in _SAMPLES.values() if flag.value]
        title = Path(files.without_query(path)).name if path else ", ".join(inputs)
        verdict = clip_page.Verdict(
            title or "the release's sample clip",
            results_file.facts(checkpoints, root, damage),
            scores.class_names,
            scores.logits,
            scores.probabilities,
            top,
            _START.value,
        )
        results_file.write_page(_REPORT.value, verdict, classifier, done)


def _lacks_sample(checkpoints, root):
    """Whether the drawn clip of the demonstration replaces the release's sample."""
    if checkpoints.kind != "scratch":
        return checkpoints.kind == "demo"
    try:
        released.fetch("rgb_sample", root=root, tries=1)
    except released.DownloadError as error:
        logging.warning(
            "%s. Using a drawn clip instead, which no class of Kinetics describes; "
            "pass a real one: --video=FILE",
            error,
        )
        return True
    return False


def _check_flags():
    for flag in (_VIDEO, *_SAMPLES.values()):
        if flag.value == "":
            raise ValueError(f"--{flag.name}= is empty; omit it or pass a value")
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
                f"--{flag.name}: this program runs I3D on all frames; for other "
                "architectures use i3d evaluate, on a dataset"
            )
    model_flags.check()
    flow_flags.check()
    if _VIDEO.value is None and (_START.present or _MAX_FRAMES.present):
        raise ValueError("--start and --max_frames cut a --video; none is given")
    if _VIDEO.value is not None:
        if not is_stdin(_VIDEO.value) and not files.exists(_VIDEO.value):
            raise FileNotFoundError(f"{_VIDEO.value}: there is no such video file")
        reading_flags.check_fps([Clip(_VIDEO.value)])
    program.check_output(_JSON)
    program.check_output(_REPORT)
    if _REPORT.value and not _REPORT.value.lower().endswith((".html", ".htm")):
        raise ValueError(
            f"--report={_REPORT.value}: the page is HTML; name a file that ends in "
            ".html"
        )
    if _REPORT.value is not None and not plots.is_installed():
        raise ValueError(f"--report needs matplotlib: {plots.INSTALL}")


def _load_sample(stream, root):
    """The clip in a .npy file: the user's, or the release's sample."""
    try:
        path = _SAMPLES[stream].value or released.fetch(f"{stream}_sample", root=root)
    except released.DownloadError as error:
        raise OSError(
            f"{error}; or pass a --video, or see the demonstration: --weights=demo"
        ) from error
    clip = npy.read_clip(path, CHANNELS[stream])
    logging.info("%s data loaded, shape=%s", title(stream), clip.shape)
    return clip


def _load(checkpoints):
    models, names = chosen_checkpoints.load_models(checkpoints)
    from ..inference.classifier import Classifier

    return Classifier.of_models(models, names, dtype=model_flags.dtype())


def _read_frames(path):
    with program.quiet_tensorflow():
        from ..inference.frames import read_frames

    bar = functools.partial(
        tqdm, desc="Reading", unit="frame", leave=False, disable=None
    )
    found = []
    frames = read_frames(
        path,
        start=_START.value,
        max_frames=_MAX_FRAMES.value or None,
        recipe=reading_flags.apply(ClipRecipe(model_flags.stream())),
        on_damage=found.append,
        wrap=bar,
    )
    if "flow" in model_flags.streams() and len(frames) < 2:
        raise ValueError(
            f"{path}: gives one frame, and optical flow needs two; try "
            "--eval_type=rgb, or a larger --max_frames"
        )
    return frames, found


def _endpoints():
    if _REPORT.value is None:
        return ("Logits",)
    from ..models import class_activation_maps

    return ("Logits", class_activation_maps.ENDPOINT)
