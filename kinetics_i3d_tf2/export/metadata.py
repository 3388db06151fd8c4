"""What an exported file says about itself: its classes and its preprocessing."""

import json
from collections.abc import Mapping, Sequence

import keras

from ..data.clip_recipe import ClipRecipe
from ..inference.scores import activation_of
from ..models.architecture import MIN_FRAMES, MIN_SIZE
from ..models.i3d import InceptionI3d
from ..video.optical_flow import FLOW_BOUND
from ..video.reader import FRAME_RATE
from . import verify

AXES = ("batch", "frames", "height", "width", "channels")
# Largest absolute value of a clip; a little more than 1 for rounding.
MAX_VALUE = 1.001

_NORMALIZATION = {
    "rgb": "pixel / 127.5 - 1, with RGB pixels in 0..255",
    "flow": (
        f"clip(displacement, -{FLOW_BOUND:g}, {FLOW_BOUND:g}) / {FLOW_BOUND:g}, with "
        "TV-L1 (dx, dy) in pixels from each frame to the next"
    ),
}


def describe(
    models: Mapping[str, keras.Model],
    class_names: Sequence[str],
    recipe: ClipRecipe,
) -> dict[str, str]:
    """Describes models for programs that only have the exported file.

    Args:
        models: by stream, as of `export_model`.
        class_names: names of the classes, by index.
        recipe: the clips that the models take.

    Returns:
        Texts by key: "class_names", a JSON list in the order of the logits;
        "preprocessing", a JSON object with the frame rate, the resizing, the crop,
        and axes, range and formula of each input; and "activation", as JSON what makes
        probabilities of the logits, "softmax" or "sigmoid".

    Raises:
        ValueError: the models have another number of classes.

    Source of the preprocessing: README of the release.
    """
    counts = {stream: model.num_classes for stream, model in models.items()}
    if set(counts.values()) != {len(class_names)}:
        raise ValueError(
            "Models and class_names must be of the same classes. Received: "
            f"{counts}, {len(class_names)} names"
        )
    is_i3d = all(isinstance(model, InceptionI3d) for model in models.values())
    inputs = {}
    shapes = {name: value.shape for name, value in verify.inputs_of(models).items()}
    for stream in sorted(shapes, reverse=True):  # rgb, flow
        _, frames, height, width, channels = shapes[stream]
        sizes = {"frames": frames, "height": height, "width": width}
        inputs[stream] = {
            "dtype": "float32",
            "axes": list(AXES),
            **{name: size or "any" for name, size in sizes.items()},
            "channels": channels,
            "range": [-1, 1],
            "normalization": _NORMALIZATION[stream],
        }
    preprocessing = {
        "frames_per_second": FRAME_RATE,
        "short_side": recipe.short_side,
        "resizing": "bilinear, half-pixel centres, no antialiasing, aspect kept",
        "center_crop": recipe.crop_size,
        "inputs": inputs,
    }
    if is_i3d:
        preprocessing |= {"min_frames": MIN_FRAMES, "min_size": MIN_SIZE}
    return {
        "class_names": json.dumps(list(class_names), ensure_ascii=False),
        "preprocessing": json.dumps(preprocessing),
        "activation": json.dumps(activation_of(models)),
    }
