"""Weights of Inception-V1, trained on images of ImageNet, in I3D and other models."""

import os
import re

import keras
import numpy as np

from ..models.i3d import InceptionI3d
from ..models.inception_v1 import InceptionV1
from ..utils import files, private_api
from . import sonnet

_SCOPE = "InceptionV1/"
_FIRST = "Conv2d_1a_7x7/conv_2d/w"
# The classifier of ImageNet, and what an optimizer keeps.
_IGNORED = re.compile(
    rf"{_SCOPE}Logits/|global_step$|.*/(RMSProp(_1)?|Momentum|ExponentialMovingAverage)$"
)


def inflate(
    weights: dict[str, np.ndarray], num_channels: int = 3
) -> dict[str, np.ndarray]:
    """Inflates the weights of Inception-V1 to those of I3D's trunk.

    A kernel is repeated along time and divided by its length there, so that a video of
    one repeated frame gives the activations that the frame gives; batch norm is copied.

    Args:
        weights: as `read_inception_v1` gives them.
        num_channels: channels of the clips: 3, or 2 for flow.

    Returns:
        float32 arrays by their Sonnet names in `InceptionI3d`.

    Source: paper, section 2.4, 'Bootstrapping 3D filters from 2D Filters'.
    """
    inflated = {}
    for name, value in weights.items():
        if name == _FIRST:
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
    trunks = [x for x in private_api.all_layers(model) if isinstance(x, InceptionV1)]
    if isinstance(model, InceptionI3d):
        values = inflate(weights, model.num_channels)
        _assign(path, model.weights, "", values)
    elif trunks:
        for trunk in trunks:
            first = trunk.steps[0].convolution.kernel
            kernel = with_channels(weights[_FIRST], first.shape[2])
            scope = first.path.removesuffix("Conv2d_1a_7x7/conv_2d/kernel")
            _assign(path, trunk.weights, scope, {**weights, _FIRST: kernel})
    else:
        raise ValueError(
            f"{path}: is of Inception-V1, and {model.name} has no such trunk to begin "
            "with its weights"
        )


def is_inception_v1(path: str | os.PathLike) -> bool:
    """Whether there is a checkpoint with the names of TF-slim's Inception-V1.

    Args:
        path: file, prefix or anything else.
    """
    try:
        return any(
            name.startswith(_SCOPE) for name in _open(path).get_variable_to_shape_map()
        )
    except (OSError, ValueError):
        return False


def read_inception_v1(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the trunk of TF-slim's Inception-V1.

    Args:
        path: file of the checkpoint (of TensorFlow's first format, as it is
            distributed), or prefix of one of the second format.

    Returns:
        float32 arrays by the names that `trunk.InceptionV1` has, below its own:
        "Conv2d_1a_7x7/conv_2d/w", "Conv2d_1a_7x7/batch_norm/beta" and so on.

    Raises:
        OSError: there is no such checkpoint.
        ValueError: it is no checkpoint, or not of Inception-V1 (every difference in
            names is listed).
    """
    reader = _open(path)
    names = {
        _sonnet_name(name): name
        for name in reader.get_variable_to_shape_map()
        if not _IGNORED.match(name)
    }
    expected = _names()
    problems = [f"missing: {name}" for name in expected if name not in names]
    problems += [f"unexpected: {names[n]}" for n in names if n not in expected]
    if problems:
        hint = ""
        if any(name.endswith("/gamma") for name in names):
            hint = "; its batch norm has scales, which I3D's has not"
        raise ValueError(
            f"{path}: is not TF-slim's Inception-V1{hint}. {len(problems)} differences:"
            "\n  " + "\n  ".join(problems)
        )
    return {name: reader.get_tensor(names[name]) for name in expected}


def _open(path):
    """TensorFlow's reader: it knows both of its formats."""
    import tensorflow as tf

    path = os.fspath(path)
    if not files.exists(path) and not files.exists(f"{path}.index"):
        raise FileNotFoundError(f"{path}: there is no such checkpoint")
    if files.is_dir(path):
        raise ValueError(f"{path}: is a folder; name the checkpoint in it")
    try:
        return tf.train.load_checkpoint(path)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path}: is no checkpoint of TensorFlow (an archive must be unpacked "
            f"first): {error}"
        ) from error


def _sonnet_name(name):
    """Name in `trunk.InceptionV1` of a variable of TF-slim."""
    name = name.removeprefix(_SCOPE).replace("/BatchNorm/", "/batch_norm/")
    return re.sub("/weights$", "/conv_2d/w", name)


def _names():
    """Names of the variables of a trunk, in its order."""
    trunk = InceptionV1(1 / 64, name="trunk")
    trunk.build((None, 1, 32, 32, 3))
    return [sonnet.sonnet_name(v).removeprefix("trunk/") for v in trunk.weights]


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
