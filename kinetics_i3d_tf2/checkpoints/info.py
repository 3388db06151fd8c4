"""What a checkpoint is of, from the names and shapes of its variables."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..models.registry import ARCHITECTURES
from ..streams import CHANNELS, SCOPES

# Scopes that checkpoints put before the model's own names: the release's, and those of
# the paper's other architectures.
_SCOPE = re.compile(
    r"^(?P<kind>(?P<stream>RGB|Flow)/inception_i3d|convnet_lstm|c3d|two_stream|fused)/"
)
SLOT = "/Momentum"
_CLASSIFIER = "Logits/"
# First kernels of models that are no images' network in a trunk for each stream.
_FIRST_KERNELS = {"i3d": "Conv3d_1a_7x7/conv_3d/w", "c3d": "Conv3d_1a_3x3/conv_3d/w"}
FIRST_OF_TRUNK = "Conv2d_1a_7x7/conv_2d/w"

# (scope, classes) of the released checkpoints, by name.
_RELEASED = {
    ("RGB", 400): "rgb_imagenet and rgb_scratch (Kinetics-400, RGB)",
    ("Flow", 400): "flow_imagenet and flow_scratch (Kinetics-400, Flow)",
    ("", 600): "rgb_scratch_kin600 (Kinetics-600, RGB)",
}


class UnknownClassesError(ValueError):
    """Nobody has said what the classes of a checkpoint are."""


class Entry(NamedTuple):
    """A variable in a checkpoint: its whole name, shape and dtype's name."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def sonnet_name(self) -> str:
        """The name below the model's scope, as the model has it."""
        return _SCOPE.sub("", self.name)

    @property
    def kind(self) -> str:
        """Which of `ARCHITECTURES` has such a scope."""
        found = _SCOPE.match(self.name)
        return found["kind"] if found and found["kind"] in ARCHITECTURES else "i3d"

    @property
    def is_slot(self) -> bool:
        """Whether it is an optimizer's slot, not a variable of the model."""
        return self.name.endswith(SLOT)


class Contents(NamedTuple):
    """What a checkpoint is of."""

    kind: str  # one of `ARCHITECTURES`
    stream: str  # "rgb", "flow" or "joint"
    num_classes: int
    shapes: Mapping[str, tuple[int, ...]]  # of the weights, by name in the model


def contents_of(entries: list[Entry], prefix) -> Contents:
    """Says what a checkpoint is of.

    Args:
        entries: its variables.
        prefix: what errors call it.

    Returns:
        Its contents.

    Raises:
        UnknownClassesError: it has no classifier.
        ValueError: it is of no model of this package.
    """
    entries = [entry for entry in entries if not entry.is_slot]
    shapes = {entry.sonnet_name: entry.shape for entry in entries}
    kinds = {entry.kind for entry in entries}
    kind = kinds.pop() if len(kinds) == 1 else None
    streams = _streams(kind, shapes)
    if not streams:
        raise ValueError(
            f"{prefix}: is not a checkpoint of one of {', '.join(ARCHITECTURES)}"
        )
    biases = [n for n in shapes if n.startswith(_CLASSIFIER) and n.endswith("/b")]
    if not biases:
        raise UnknownClassesError(
            f"{prefix}: is a checkpoint of {kind} without its classifier, which "
            "training can begin with (--init)"
        )
    stream = streams[0] if len(streams) == 1 else "joint"
    return Contents(kind, stream, shapes[biases[0]][-1], shapes)


def describe(entries: list[Entry]) -> str:
    """Says what variables are of, and which released checkpoint they are like.

    Args:
        entries: the variables of a checkpoint.

    Returns:
        One line for people.
    """
    weights = [entry for entry in entries if not entry.is_slot]
    slots = len(entries) - len(weights)
    count = f"{len(weights)} variables" + (
        f" and {slots} optimizer slots" * bool(slots)
    )
    try:
        found = contents_of(entries, "it")
    except ValueError as error:
        return f"{count}; {str(error).removeprefix('it: ')}"
    if found.kind != "i3d":
        return (
            f"{count}; {found.kind} of {found.stream} and {found.num_classes} classes"
        )
    scope = _SCOPE.match(weights[0].name)
    scope = scope["stream"] if scope else ""
    like = _RELEASED.get((scope, found.num_classes), "none of the released ones")
    channels, filters = found.shapes[_FIRST_KERNELS["i3d"]][-2:]
    if filters != 64:
        like = "none of the released ones (other width)"
    return (
        f"{count}; InceptionI3d of {channels} channels and {found.num_classes} "
        f"classes, scope {scope or 'none'}; like {like}"
    )


def _streams(kind, shapes):
    if kind in _FIRST_KERNELS:
        channels = shapes.get(_FIRST_KERNELS[kind], (0, 0))[-2]
        return [stream for stream, count in CHANNELS.items() if count == channels]
    return [s for s, name in SCOPES.items() if f"{name}/{FIRST_OF_TRUNK}" in shapes]
