"""Flags of optical flow, with the same meaning in all programs."""

import dataclasses
import math

from absl import flags

from ...data.clip_recipe import ClipRecipe
from ...video.flow_engines import ENGINES
from ...video.tvl1_parameters import EPSILON

FLOW_ENGINE = flags.DEFINE_enum(
    "flow_engine",
    "auto",
    ENGINES,
    "Engine of TV-L1 flow: numba on CPU, keras on a GPU, opencv as the reference; auto "
    "chooses the fastest that is installed.",
)
FLOW_EPSILON = flags.DEFINE_float(
    "flow_epsilon",
    EPSILON,
    "TV-L1 stops when an iteration changes the flow by less than this many pixels; "
    "0.05 is several times faster than OpenCV's 0.01, and differs by 0.02 (a clean "
    "video) to 0.3 pixels (noise).",
)

flags.disclaim_key_flags()  # declare_for_help is the caller's.


def declare_for_help(*, engine: bool = True) -> None:
    """Shows these flags in the `--help` of the program that calls this.

    Args:
        engine: whether it takes `--flow_engine`.
    """
    shown = [FLOW_ENGINE, FLOW_EPSILON] if engine else [FLOW_EPSILON]
    for flag in shown:
        flags.declare_key_flag(flag.name)


def check() -> None:
    """Checks the flags before any work.

    Raises:
        ValueError: a flag is out of range.
    """
    if not 0 < FLOW_EPSILON.value < math.inf:
        raise ValueError(
            f"--flow_epsilon must be above 0 pixels. Received: {FLOW_EPSILON.value}"
        )


def apply(recipe: ClipRecipe) -> ClipRecipe:
    """The recipe with the engine and epsilon of the flags.

    Raises:
        ValueError: a flag is out of range.
    """
    check()
    return dataclasses.replace(
        recipe, flow_engine=FLOW_ENGINE.value, flow_epsilon=FLOW_EPSILON.value
    )
