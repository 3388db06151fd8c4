"""TF-slim's checkpoints of Inception-V1, in both formats of TensorFlow."""

import os
import re

import numpy as np

from ..models.inception_v1 import InceptionV1
from ..utils import files
from ..utils.errors import DetailedError
from . import sonnet
from .file_formats.first_format import FirstFormatReader
from .file_formats.tensor_bundle import BundleReader

# The kernel that reads pixels, by its name in `InceptionV1`.
FIRST_KERNEL = "Conv2d_1a_7x7/conv_2d/w"
_SCOPE = "InceptionV1/"
# ImageNet's classifier, and the state of optimizers.
_IGNORED = re.compile(
    rf"{_SCOPE}Logits/|global_step$|.*/(RMSProp(_1)?|Momentum|ExponentialMovingAverage)$"
)


def is_inception_v1(path: str | os.PathLike) -> bool:
    """Whether there is a checkpoint with the names of TF-slim's Inception-V1.

    Args:
        path: file, prefix or anything else.
    """
    try:
        return any(name.startswith(_SCOPE) for name, *_ in _open(path).entries())
    except (OSError, ValueError):
        return False


def read_inception_v1(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the trunk of TF-slim's Inception-V1.

    Args:
        path: file of the checkpoint (of TensorFlow's first format, as it is
            distributed), or prefix of one of the second format.

    Returns:
        float32 arrays by the names that `InceptionV1` has, below its own:
        "Conv2d_1a_7x7/conv_2d/w", "Conv2d_1a_7x7/batch_norm/beta" and so on.

    Raises:
        OSError: there is no such checkpoint.
        ValueError: it is no checkpoint, or not of Inception-V1 (`details` of
            the error lists every difference in names).
    """
    reader = _open(path)
    names = {
        _sonnet_name(name): name
        for name, *_ in reader.entries()
        if not _IGNORED.match(name)
    }
    expected = _names()
    problems = [f"missing: {name}" for name in expected if name not in names]
    problems += [f"unexpected: {names[n]}" for n in names if n not in expected]
    if problems:
        hint = ""
        if any(name.endswith("/gamma") for name in names):
            hint = "; its batch norm has scales, which I3D's has not"
        raise DetailedError(
            f"{files.redact(path)}: "
            f"is not TF-slim's Inception-V1{hint}. {len(problems)} "
            "differences:",
            problems,
        )
    return {name: reader.read(names[name]) for name in expected}


def _open(path):
    """A reader of either format."""
    path = os.fspath(path)
    if files.exists(files.add_suffix(path, ".index")):
        return BundleReader(path)
    if not files.exists(path):
        raise FileNotFoundError(f"{files.redact(path)}: there is no such checkpoint")
    if files.is_dir(path):
        raise ValueError(
            f"{files.redact(path)}: is a folder; name the checkpoint in it"
        )
    return FirstFormatReader(path)


def _sonnet_name(name):
    """Name in `InceptionV1` of a variable of TF-slim."""
    name = name.removeprefix(_SCOPE).replace("/BatchNorm/", "/batch_norm/")
    return re.sub("/weights$", "/conv_2d/w", name)


def _names():
    """Names of the variables of a trunk, in its order."""
    trunk = InceptionV1(1 / 64, name="trunk")
    trunk.build((None, 1, 32, 32, 3))
    return [sonnet.sonnet_name(v).removeprefix("trunk/") for v in trunk.weights]
