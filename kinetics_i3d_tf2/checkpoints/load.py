"""The model that a checkpoint is of, and the names of its classes."""

import os
from fractions import Fraction

import keras

from ..data import labels
from ..data.clip_recipe import ClipRecipe
from ..models.architecture import scaled, unit_filters
from ..models.c3d import ROWS, Conv
from ..models.i3d import InceptionI3d
from ..models.registry import ARCHITECTURES
from ..streams import CHANNELS, SCOPES
from ..utils import files
from .info import FIRST_OF_TRUNK, Contents, UnknownClassesError, contents_of
from .sonnet import list_checkpoint, load_checkpoint
from .tensor_bundle import find_prefix


def build_model(
    kind: str,
    num_classes: int,
    clip: ClipRecipe,
    *,
    in_training: bool = False,
    **kwargs,
) -> keras.Model:
    """Builds a new model for the clips of a recipe.

    Args:
        kind: one of `ARCHITECTURES`.
        num_classes: number of classes.
        clip: the recipe; its stream is one that the model can be of.
        in_training: whether a recurrent model gives the logits of all time steps.
        **kwargs: `dropout_rate`, `width` and `dtype`, as of `InceptionI3d`.

    Returns:
        The model.

    Raises:
        ValueError: an argument out of range, or such clips do not go into it.
    """
    if kind == "i3d":
        channels = CHANNELS[clip.stream]
        return InceptionI3d(num_classes, num_channels=channels, **kwargs)
    kwargs["stream"] = clip.stream
    if kind == "convnet_lstm":
        kwargs |= {"all_steps": in_training, "max_steps": clip.length("rgb")}
    elif kind == "c3d":
        usual = ClipRecipe.of_model("c3d")
        if (clip.num_frames, clip.crop_size) != (usual.num_frames, usual.crop_size):
            raise ValueError(
                f"c3d takes clips of {usual.num_frames} frames and {usual.crop_size} "
                f"pixels. Received: {clip.num_frames} and {clip.crop_size}"
            )
    else:
        kwargs["snippet"] = clip.rgb_stride
        snippets = clip.num_frames / clip.rgb_stride
        if snippets % 1 or (kind == "two_stream" and snippets != 1):
            raise ValueError(
                f"{kind} takes {'one frame' if kind == 'two_stream' else 'frames'} of "
                "RGB with the flow from each to the next: num_frames must be "
                f"{'' if kind == 'two_stream' else 'a multiple of '}rgb_stride. "
                f"Received: {clip.num_frames} and {clip.rgb_stride}"
            )
    return ARCHITECTURES[kind].model_class()(num_classes, **kwargs)


def load_model(path, **kwargs) -> keras.Model:
    """Builds the model that a checkpoint is of, with its weights.

    Args:
        path: prefix of the checkpoint (`.../model.ckpt`) or the folder that holds it.
        **kwargs: more arguments of the model's class; `num_classes`, `width` and what
            its input is are the checkpoint's.

    Returns:
        `InceptionI3d`, or one of `baselines`.

    Raises:
        OSError: a file of the checkpoint is missing, or may not be read.
        ValueError: a file is truncated or corrupt, or is of another model.

    Examples:
        >>> model = load_model("checkpoints/rgb_imagenet")
    """
    found = read_contents(path)
    options = {"width": _width(found.shapes, _full_filters(found))}
    if found.kind == "i3d":
        options["num_channels"] = CHANNELS[found.stream]
    else:
        options["stream"] = found.stream
    if found.kind == "convnet_lstm":
        options["max_steps"] = found.shapes["LSTM/cell_norm/moving_mean"][0]
    if found.kind in ("two_stream", "fused") and found.stream != "rgb":
        first = found.shapes[f"{SCOPES['flow']}/{FIRST_OF_TRUNK}"]
        options["snippet"] = first[-2] // CHANNELS["flow"]
    model = ARCHITECTURES[found.kind].model_class()(
        found.num_classes, **options, **kwargs
    )
    load_checkpoint(model, path)
    return model


def load_stream(path, stream: str, kind: str = "i3d") -> keras.Model:
    """Builds the model of a checkpoint, which must be of a stream.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.
        stream: "rgb", "flow", or "joint" for one model of both.
        kind: one of `ARCHITECTURES`, which it must be too.

    Returns:
        The model.

    Raises:
        OSError: as `load_model`.
        ValueError: as `load_model`, or it is of another kind or stream.
    """
    found = read_contents(path)
    if found.kind != kind:
        raise ValueError(
            f"{path}: is a checkpoint of {found.kind}, not of {kind} "
            f"(--model={found.kind})"
        )
    if found.stream != stream:
        raise ValueError(
            f"{path}: is of the stream {found.stream}, and {stream} was asked for"
        )
    return load_model(path)


def class_names_of(path) -> tuple[str, ...]:
    """Names of the classes that a checkpoint was trained on.

    Args:
        path: prefix of the checkpoint, or the folder that holds it; the file
            `label_map.txt` beside it says them. Without one, 400 and 600 classes are
            those of Kinetics.

    Returns:
        Names by index.

    Raises:
        OSError: a file is missing, or may not be read.
        UnknownClassesError: there is no label map and no map of Kinetics has as many,
            or the checkpoint has no classifier.
        ValueError: the checkpoint is corrupt or of another model, or the label map is
            of another number of classes.
    """
    num_classes = read_contents(path).num_classes
    folder = os.path.dirname(os.fspath(find_prefix(path)))
    label_map = files.join(folder, labels.LABEL_MAP)
    if files.exists(label_map):
        names = labels.read_label_map(label_map)
        if len(names) != num_classes:
            raise ValueError(
                f"{label_map}: has {len(names)} classes, the checkpoint {num_classes}"
            )
        return names
    if num_classes not in (400, 600):
        raise UnknownClassesError(
            f"{label_map}: is missing, and there is no other way to know the names of "
            f"{num_classes} classes; write one name a line, in the order of training"
        )
    return labels.class_names(num_classes)


def read_contents(path) -> Contents:
    """Says what a checkpoint is of, from its index.

    Args:
        path: prefix of the checkpoint, or the folder that holds it.

    Returns:
        Its contents.

    Raises:
        OSError: there is no such checkpoint.
        UnknownClassesError: it has no classifier.
        ValueError: it is corrupt, or of no model of this package.
    """
    return contents_of(list_checkpoint(path), find_prefix(path))


def _full_filters(found):
    """Filters of a checkpoint's units in a model of width 1, by their kernel."""
    if found.kind == "i3d":
        return {f"{n}/conv_3d/w": full for n, full in unit_filters(1.0).items()}
    if found.kind == "c3d":
        units = [row for row in ROWS if isinstance(row, Conv)]
        return {f"{row.name}/conv_3d/w": row.filters for row in units}
    units = unit_filters(1.0, rank=2)
    return {
        f"{trunk}/{name}/conv_2d/w": full
        for trunk in SCOPES.values()
        for name, full in units.items()
        if f"{trunk}/{FIRST_OF_TRUNK}" in found.shapes
    }


def _width(shapes, full_filters):
    """The simplest width that rounds to the filters of all units."""
    found = {name: shapes.get(name, (0,))[-1] for name in full_filters}
    low, high = Fraction(0), Fraction(10**6)
    for name, full in full_filters.items():
        filters = found[name]
        if filters > 1:  # Of less than half a filter there is one.
            low = max(low, Fraction(2 * filters - 1, 2 * full))
        high = min(high, Fraction(2 * filters + 1, 2 * full))
    middle = (low + high) / 2
    for denominator in range(1, 10_000):
        width = middle.limit_denominator(denominator)
        narrow = {n: scaled(full, float(width)) for n, full in full_filters.items()}
        if low <= width <= high and narrow == found:
            return float(width)
    return float(middle)
