"""Flags of reading videos: limits on single ones, and the rate of folders of images."""

import dataclasses
from collections.abc import Iterable

from absl import flags

from ...data import read_options
from ...data.clip_recipe import ClipRecipe
from ...data.clips import Clip
from ...data.read_options import ReadOptions
from ...utils import files
from ...video.damage import MAX_DAMAGED_FRAMES
from ...video.reader import FRAME_RATE

MAX_DAMAGED_FRAMES = flags.DEFINE_float(
    "max_damaged_frames",
    MAX_DAMAGED_FRAMES,
    "Share of a video's frames that may be damaged or missing; videos above it count "
    "as unreadable, others are read with a warning.",
    0,
    1,
)
MAX_LONG_SIDE = flags.DEFINE_integer(
    "max_long_side",
    read_options.MAX_LONG_SIDE,
    "Long side in pixels of resized frames, at most; videos above it count as "
    "unreadable.",
    1,
)
MAX_CLIP_MIB = flags.DEFINE_integer(
    "max_clip_mib",
    read_options.MAX_CLIP_BYTES >> 20,
    "MiB that the resized frames, and their flow, of one clip may take where all of it "
    "is held; clips above it count as unreadable.",
    1,
)
FPS = flags.DEFINE_float(
    "fps",
    FRAME_RATE,
    "Frames per second of clips that are folders of images. i3d features takes as many "
    "of videos and records, too.",
    0.01,
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.


def declare_for_help(*, fps: bool = True) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        fps: whether it takes `--fps`.
    """
    shown = [MAX_DAMAGED_FRAMES, MAX_LONG_SIDE, MAX_CLIP_MIB]
    if fps:
        shown.append(FPS)
    for flag in shown:
        flags.declare_key_flag(flag.name)


def options() -> ReadOptions:
    """The limits and the rate of the flags."""
    return ReadOptions(
        max_damaged_frames=MAX_DAMAGED_FRAMES.value,
        max_long_side=MAX_LONG_SIDE.value,
        max_clip_bytes=MAX_CLIP_MIB.value << 20,
        image_fps=FPS.value,
    )


def apply(recipe: ClipRecipe) -> ClipRecipe:
    """The recipe with the limits and the rate of the flags."""
    return dataclasses.replace(recipe, reading=options())


def check_fps(sources: Iterable) -> None:
    """Checks that `--fps`, if it is set, has a folder of images to apply to.

    Args:
        sources: clips or records.

    Raises:
        ValueError: none of them is one.
    """
    if FPS.present and not any(
        isinstance(each, Clip) and files.is_dir(each.path) for each in sources
    ):
        raise ValueError(
            f"--fps={FPS.value:g} is for folders of images; videos and records have "
            "their own rate"
        )
