"""What `i3d classify` does with one video that is seen at once, or with samples."""

import functools
from pathlib import Path

from absl import flags, logging

from .. import demo
from ..checkpoints import released
from ..data import labels, npy
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.records.tfrecord import is_record_file
from ..streams import CHANNELS, title
from ..utils import files
from ..utils.progress import Bar
from ..video.ffmpeg import is_stdin
from ..visualization import clip_page, plots
from . import output_flags, program, results_file
from .flags import (
    chosen_checkpoints,
    clip_flags,
    flow_flags,
    model_flags,
    reading_flags,
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
_JSON = flags.DEFINE_string(
    "json",
    None,
    "Also write the results to this file; - is standard output, without the rest.",
)
_REPORT = flags.DEFINE_string(
    "report",
    None,
    "Also write a page (.html) that shows frames, flow and classes, and when and where "
    "the network finds them. Needs the extra plot.",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

_SAMPLES = {"rgb": _RGB_SAMPLE, "flow": _FLOW_SAMPLE}
FLAGS = (_RGB_SAMPLE, _FLOW_SAMPLE, _JSON, _REPORT)
# A link to data/ of the checkout, and package data of an installation.
_DEMO_VIDEO = Path(demo.__file__).with_name("clips") / "demo_opening_a_door.mp4"


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in FLAGS:
        flags.declare_key_flag(flag.name)


def main(path: str | None, *, root: str, start: float, max_frames: int | None) -> None:
    """Classifies one video, or the samples that flags name; prints the classes.

    Args:
        path: of the video. None classifies samples, by default the release's.
        root: folder that holds checkpoints/ and data/.
        start: second of the video to begin at.
        max_frames: frames of it to use, at most; None is all.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: flags do not go together, or a file has other content.
    """
    _check_flags(path)
    has_input = path is not None or any(f.value for f in _SAMPLES.values())
    checkpoints = chosen_checkpoints.find_checkpoints(
        root, may_demonstrate=not has_input, may_substitute=True
    )
    if not has_input and _lacks_sample(checkpoints, root):
        path = _DEMO_VIDEO
        logging.info("Classifying the drawn clip %s", path.name)
    # Reading the input is cheap, and it may be wrong.
    found_damage = []
    if path is None:
        clips = {stream: _load_sample(stream, root) for stream in model_flags.streams()}
    else:
        frames, found_damage = _read_frames(path, start, max_frames)
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
    if not output_flags.is_stdout(_JSON):
        results_file.print_results(scores, top)
    if _JSON.value is not None:
        results_file.write_json(_JSON.value, checkpoints, path, scores, top, damage)
    if _REPORT.value is not None:
        facts = results_file.facts(checkpoints, root, damage)
        verdict = clip_page.Verdict(
            _page_title(path),
            facts,
            scores.class_names,
            scores.logits,
            scores.probabilities,
            top,
            start,
        )
        results_file.write_page(_REPORT.value, verdict, classifier, done)


def _page_title(path):
    if path is not None:
        return Path(files.without_query(path)).name
    given = [str(flag.value) for flag in _SAMPLES.values() if flag.value]
    return ", ".join(given) or "the release's sample clip"


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


def _check_flags(path):
    named = {"video": path} | {flag.name: flag.value for flag in _SAMPLES.values()}
    for name, value in named.items():
        if value == "":
            raise ValueError(f"--{name}= is empty; omit it or pass a value")
    given = {stream for stream, flag in _SAMPLES.items() if flag.value is not None}
    if path is not None and given:
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
    if path is not None:
        if not is_stdin(path) and not files.exists(path):
            raise FileNotFoundError(f"{path}: there is no such video file")
        if is_record_file(path):
            raise ValueError(
                f"--video={path}: is a file of records; omit --video for a table: "
                f"i3d classify {path}"
            )
        reading_flags.check_fps([Clip(path)])
    output_flags.check(_JSON, stdout=True)
    output_flags.check(_REPORT)
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


def _read_frames(path, start, max_frames):
    with program.quiet_tensorflow():
        from ..inference.frames import read_frames

    bar = functools.partial(Bar, desc="Reading", unit="frame", leave=False)
    found = []
    frames = read_frames(
        path,
        start=start,
        max_frames=max_frames,
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
