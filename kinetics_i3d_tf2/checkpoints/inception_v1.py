"""Inception-V1 weights, trained on ImageNet, for I3D and other models."""

import os
from pathlib import Path

import keras
import numpy as np

from ..arguments import suggest_arguments
from ..models.architecture import unit_filters
from ..models.i3d import InceptionI3d
from ..models.inception_v1 import InceptionV1
from ..streams import CHANNELS
from ..utils import files, private_api
from . import sonnet
from .config import write_config_of_model
from .tf_slim import FIRST_KERNEL, read_inception_v1


@suggest_arguments
def inflate_checkpoint(
    path: str | os.PathLike, out: str | os.PathLike, *, stream: str = "rgb"
) -> str | Path:
    """Inflates a checkpoint of Inception-V1 to one of I3D without a classifier.

    Training can start from it: set a recipe's `init`, or call `load_checkpoint` with
    `exclude=("Logits",)`.

    Args:
        path: file or prefix of TF-slim's checkpoint.
        out: prefix of the checkpoint to write, as for `save_checkpoint`; `config.json`
            is written next to it.
        stream: "rgb" or "flow"; for flow, the first kernel is the mean over colours.

    Returns:
        The prefix.

    Raises:
        OSError: there is no such checkpoint, or the new one cannot be written.
        ValueError: it is not one of Inception-V1, or there is no such stream.

    Examples:
        >>> inflate_checkpoint("inception_v1.ckpt", "imagenet_flow/", stream="flow")
        PosixPath('imagenet_flow/model.ckpt')
    """
    if stream not in CHANNELS:
        raise ValueError(
            f"stream must be one of {', '.join(CHANNELS)}. Received: {stream!r}"
        )
    weights = read_inception_v1(path)
    model = InceptionI3d(
        final_endpoint="Mixed_5c",
        num_channels=CHANNELS[stream],
        width=_width(weights),
    )
    _assign(path, model.weights, "", inflate(weights, model.num_channels))
    prefix = sonnet.save_checkpoint(model, out)
    write_config_of_model(prefix, model)
    return prefix


def inflate(
    weights: dict[str, np.ndarray], num_channels: int = 3
) -> dict[str, np.ndarray]:
    """Inflates the weights of Inception-V1 to those of I3D's trunk.

    A kernel is repeated along time and divided by its length there, so that a video of
    one repeated frame has the activations of the frame; batch norm is copied.

    Args:
        weights: from `read_inception_v1`.
        num_channels: channels of the clips: 3, or 2 for flow.

    Returns:
        float32 arrays by their Sonnet names in `InceptionI3d`.

    Source: paper, section 2.4, 'Bootstrapping 3D filters from 2D Filters'.
    """
    inflated = {}
    for name, value in weights.items():
        if name == FIRST_KERNEL:
            value = with_channels(value, num_channels)
        if name.endswith("/w"):
            length = value.shape[0]  # Kernels are cubes.
            value = np.repeat(value[None] / length, length, axis=0)
        inflated[name.replace("2d", "3d")] = value
    return inflated


def with_channels(kernel: np.ndarray, num_channels: int) -> np.ndarray:
    """The first kernel for pictures of other channels.

    Args:
        kernel: `(height, width, 3, filters)`, of RGB.
        num_channels: 3 leaves it as it is; for others, as flow, each channel has the
            mean over the three.

    Returns:
        `(height, width, num_channels, filters)`.
    """
    if num_channels == kernel.shape[2]:
        return kernel
    return np.repeat(kernel.mean(axis=2, keepdims=True), num_channels, axis=2)


@suggest_arguments
def load_inception_v1(model: keras.Model, path: str | os.PathLike) -> None:
    """Loads Inception-V1 of images into the trunks of a model.

    Args:
        model: an `InceptionI3d`, whose trunk gets the inflated weights, or a model with
            layers `InceptionV1`, each of which gets the weights as they are; first
            kernels are made for their channels.
        path: file or prefix of TF-slim's checkpoint.

    Raises:
        OSError: there is no such checkpoint.
        ValueError: it is not one of Inception-V1, or the model has no such trunk or one
            of another width.

    Examples:
        >>> model = InceptionI3d(num_classes=400)
        >>> load_inception_v1(model, "inception_v1.ckpt")
    """
    weights = read_inception_v1(path)
    path = files.redact(path)  # For messages.
    trunks = [x for x in private_api.all_layers(model) if isinstance(x, InceptionV1)]
    if isinstance(model, InceptionI3d):
        values = inflate(weights, model.num_channels)
        _assign(path, model.weights, "", values)
    elif trunks:
        for trunk in trunks:
            first = trunk.steps[0].convolution.kernel
            kernel = with_channels(weights[FIRST_KERNEL], first.shape[2])
            scope = first.path.removesuffix("Conv2d_1a_7x7/conv_2d/kernel")
            _assign(path, trunk.weights, scope, {**weights, FIRST_KERNEL: kernel})
    else:
        raise ValueError(
            f"{path}: is of Inception-V1, and {model.name} has no trunk that takes it"
        )


def width_of(path: str | os.PathLike) -> float:
    """Width of a checkpoint of Inception-V1; 1.0 is the published network.

    Args:
        path: file or prefix of TF-slim's checkpoint.

    Raises:
        OSError: there is no such checkpoint.
        ValueError: it is not one of Inception-V1.
    """
    return _width(read_inception_v1(path))


def _width(weights):
    return weights[FIRST_KERNEL].shape[-1] / unit_filters(1.0)["Conv3d_1a_7x7"]


def _assign(path, variables, scope, values):
    """Assigns values to variables below a scope; other variables stay as they are."""
    pairs = []
    for variable in variables:
        name = sonnet.sonnet_name(variable).removeprefix(scope)
        if name not in values:
            continue
        if tuple(variable.shape) != values[name].shape:
            raise ValueError(
                f"{path}: has {name} of shape {values[name].shape}, the model of "
                f"{tuple(variable.shape)}; is it of another width?"
            )
        pairs.append((variable, values[name]))
    if len(pairs) < len(values):
        raise ValueError(
            f"{path}: the model has {len(pairs)} of its {len(values)} variables; it "
            "must reach Mixed_5c"
        )
    for variable, value in pairs:
        variable.assign(value)
