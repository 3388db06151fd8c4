"""Flags of the architecture and of the clips that it takes, shared by programs."""

import dataclasses

from absl import flags

from ...data.clip_recipe import ClipRecipe
from ...models.architecture import MIN_FRAMES
from ...models.registry import ARCHITECTURES

MODEL = flags.DEFINE_enum(
    "model",
    "i3d",
    list(ARCHITECTURES),
    "Architecture: I3D, or one of those that the paper compares it with. It also says "
    "how clips are sampled.",
)
NUM_FRAMES = flags.DEFINE_integer(
    "num_frames",
    None,
    "Frames of the video that a clip spans; by default those of the --model.",
    1,
)
RGB_STRIDE = flags.DEFINE_integer(
    "rgb_stride",
    None,
    "RGB takes one of so many of these frames, and models that stack flow stack so "
    "many; by default as the --model has it.",
    1,
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.


def declare_for_help() -> None:
    """Shows these flags in the `--help` of the program that calls this."""
    for flag in (MODEL, NUM_FRAMES, RGB_STRIDE):
        flags.declare_key_flag(flag.name)


def clip_recipe(stream: str | None = None, default: ClipRecipe | None = None):
    """The clips that the flags ask for.

    Args:
        stream: "rgb", "flow" or "joint"; by default the usual one.
        default: what I3D takes if no flag says otherwise, instead of the paper's.

    Returns:
        `ClipRecipe`.

    Raises:
        ValueError: a flag does not go with the model.
    """
    clip = ClipRecipe.of_model(MODEL.value)
    if MODEL.value == "i3d" and default is not None:
        clip = default
    changes = {"stream": stream or clip.stream}
    if RGB_STRIDE.value is not None:
        if MODEL.value in ("i3d", "c3d"):
            raise ValueError(f"--rgb_stride is not for --model={MODEL.value}")
        changes["rgb_stride"] = RGB_STRIDE.value
    if NUM_FRAMES.value is not None:
        if MODEL.value == "i3d" and NUM_FRAMES.value < MIN_FRAMES:
            raise ValueError(
                f"--num_frames={NUM_FRAMES.value}: i3d takes at least {MIN_FRAMES}"
            )
        changes["num_frames"] = NUM_FRAMES.value
    return dataclasses.replace(clip, **changes)
