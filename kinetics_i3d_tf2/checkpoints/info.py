"""What a checkpoint is of, from the names and shapes of its variables."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ..models.architecture import scaled, unit_filters
from ..models.registry import ARCHITECTURES
from ..streams import CHANNELS, SCOPES, stream_of

# Scopes that checkpoints put before the model's own names: the release's, and those of
# the paper's other architectures.
_SCOPE = re.compile(
    r"^(?P<kind>(?P<stream>RGB|Flow)/inception_i3d|convnet_lstm|c3d|two_stream|fused)/"
)
SLOT = "/Momentum"
_CLASSIFIER = "Logits/"
# First kernels of the architectures without a 2D trunk for each stream.
_FIRST_KERNELS = {"i3d": "Conv3d_1a_7x7/conv_3d/w", "c3d": "Conv3d_1a_3x3/conv_3d/w"}
_FIRST_OF_TRUNK = "Conv2d_1a_7x7/conv_2d/w"

# (scope, classes) of the released checkpoints, by name.
_RELEASED = {
    ("RGB", 400): "rgb_imagenet and rgb_scratch (Kinetics-400, RGB)",
    ("Flow", 400): "flow_imagenet and flow_scratch (Kinetics-400, Flow)",
    ("", 600): "rgb_scratch_kin600 (Kinetics-600, RGB)",
}


class UnknownClassesError(ValueError):
    """The class names of a checkpoint are unknown."""


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
    def architecture(self) -> str:
        """Which of `ARCHITECTURES` has such a scope."""
        found = _SCOPE.match(self.name)
        return found["kind"] if found and found["kind"] in ARCHITECTURES else "i3d"

    @property
    def is_slot(self) -> bool:
        """Whether it is an optimizer's slot, not a variable of the model."""
        return self.name.endswith(SLOT)


class Contents(NamedTuple):
    """What a checkpoint is of."""

    architecture: str  # one of `ARCHITECTURES`
    stream: str  # "rgb", "flow" or "joint"
    num_classes: int | None  # None without a classifier
    shapes: Mapping[str, tuple[int, ...]]  # of the weights, by name in the model


def contents_of(entries: Sequence[Entry], prefix) -> Contents:
    """Recognises what a checkpoint is of.

    Args:
        entries: its variables.
        prefix: what errors call it.

    Returns:
        Its contents.

    Raises:
        ValueError: it is of no model of this package.
    """
    entries = [entry for entry in entries if not entry.is_slot]
    for entry in entries:
        if 0 in entry.shape:
            raise ValueError(
                f"{prefix}: is not a checkpoint of a model: {entry.name!r} has the "
                f"shape {entry.shape}"
            )
    shapes = {entry.sonnet_name: entry.shape for entry in entries if entry.shape}
    found = {entry.architecture for entry in entries}
    architecture = found.pop() if len(found) == 1 else None
    streams = _streams(architecture, shapes)
    if not streams:
        raise ValueError(
            f"{prefix}: is not a checkpoint of one of {', '.join(ARCHITECTURES)}"
        )
    biases = [n for n in shapes if n.startswith(_CLASSIFIER) and n.endswith("/b")]
    stream = streams[0] if len(streams) == 1 else "joint"
    num_classes = shapes[biases[0]][-1] if biases else None
    return Contents(architecture, stream, num_classes, shapes)


def input_options(contents: Contents) -> dict[str, int | str]:
    """Arguments of the model's class that follow from the shapes, but for the width.

    Args:
        contents: of the checkpoint.

    Returns:
        Values by argument.

    Raises:
        ValueError: a variable that they follow from is missing.
    """
    shapes = contents.shapes
    if contents.architecture == "i3d":
        return {"num_channels": CHANNELS[contents.stream]}
    options = {"stream": contents.stream}
    try:
        if contents.architecture == "convnet_lstm":
            options["max_steps"] = shapes["LSTM/cell_norm/moving_mean"][0]
        if contents.architecture in ("two_stream", "fused") and (
            contents.stream != "rgb"
        ):
            first = shapes[f"{SCOPES['flow']}/{_FIRST_OF_TRUNK}"]
            options["snippet"] = first[-2] // CHANNELS["flow"]
    except LookupError as error:
        raise ValueError(
            f"is not a whole checkpoint of {contents.architecture}: {error}"
        ) from error
    return options


def width_of(contents: Contents) -> float:
    """Infers the factor on filters: the simplest that rounds to those of all units.

    Args:
        contents: of the checkpoint.

    Returns:
        The width; 1.0 is the published model.
    """
    full_filters = _full_filters(contents)
    found = {name: contents.shapes.get(name, (0,))[-1] for name in full_filters}
    low, high = Fraction(0), Fraction(10**6)
    for name, full in full_filters.items():
        filters = found[name]
        if filters > 1:  # A unit of less than half a filter has one.
            low = max(low, Fraction(2 * filters - 1, 2 * full))
        high = min(high, Fraction(2 * filters + 1, 2 * full))
    middle = (low + high) / 2
    for denominator in range(1, 10_000):
        width = middle.limit_denominator(denominator)
        if low <= width <= high and has_width(contents, float(width)):
            return float(width)
    return float(middle)


def has_width(contents: Contents, width: float) -> bool:
    """Whether the filters of a checkpoint are those of a model of some width."""
    return all(
        contents.shapes.get(name, (0,))[-1] == scaled(full, width)
        for name, full in _full_filters(contents).items()
    )


def describe(entries: Sequence[Entry]) -> str:
    """Describes what variables are of, and which released checkpoint they are like.

    Args:
        entries: the variables of a checkpoint.

    Returns:
        One line for people.
    """
    weights = [entry for entry in entries if not entry.is_slot]
    slots = len(entries) - len(weights)
    count = f"{len(weights)} variables"
    if slots:
        count += f" and {slots} optimizer slots"
    try:
        found = contents_of(entries, "it")
    except ValueError as error:
        return f"{count}; {str(error).removeprefix('it: ')}"
    if found.num_classes is None:
        return (
            f"{count}; is a checkpoint of {found.architecture} without its classifier; "
            "training can start from it (--init)"
        )
    if found.architecture != "i3d":
        return (
            f"{count}; {found.architecture} of {found.stream} and {found.num_classes} "
            "classes"
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


def _streams(architecture, shapes):
    if architecture in _FIRST_KERNELS:
        shape = shapes.get(_FIRST_KERNELS[architecture], ())
        stream = stream_of(shape[-2]) if len(shape) == 5 else None
        return [] if stream is None else [stream]
    return [s for s, name in SCOPES.items() if f"{name}/{_FIRST_OF_TRUNK}" in shapes]


def _full_filters(contents):
    """Filters of a checkpoint's units in a model of width 1, by their kernel."""
    if contents.architecture == "i3d":
        return {f"{n}/conv_3d/w": full for n, full in unit_filters(1.0).items()}
    if contents.architecture == "c3d":
        from ..models import c3d

        units = [row for row in c3d.ROWS if isinstance(row, c3d.Conv)]
        return {f"{row.name}/conv_3d/w": row.filters for row in units}
    units = unit_filters(1.0, rank=2)
    return {
        f"{trunk}/{name}/conv_2d/w": full
        for trunk in SCOPES.values()
        for name, full in units.items()
        if f"{trunk}/{_FIRST_OF_TRUNK}" in contents.shapes
    }
