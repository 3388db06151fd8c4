"""Recognises other video architectures, some of which are called I3D too."""

import re
from collections.abc import Mapping

from .stored import Stored

# By names of tensors; the first match wins.
_ARCHITECTURES = (
    (r"(^|[./])blocks\.\d+\.multipathway_blocks\.", "SlowFast (PyTorchVideo)"),
    (r"(^|[./])blocks\.\d+\.res_blocks\.", "I3D ResNet or Slow (PyTorchVideo)"),
    (r"(^|[./])s[1-5]\.pathway1_", "SlowFast (PySlowFast)"),
    (r"(^|[./])s[1-5]\.pathway0_", "I3D ResNet or Slow (PySlowFast)"),
    (r"(^|[./])(slow|fast)_path\.", "SlowFast (MMAction)"),
    (r"(^|[./])res[2-5][._]\d+[._]", "I3D ResNet (non-local networks)"),
    (r"(^|[./])layer[1-4]\.\d+\.conv\d\.\d", "R(2+1)D or MC3 ResNet"),
    (r"(^|[./])layer[1-4]\.\d+\.", "ResNet"),
    (r"(^|[./])blocks\.\d+\.attn\.", "a video transformer"),
    (r"(^|[./])layers\.\d+\.blocks\.\d+\.attn\.", "Video Swin"),
    (r"\.(conv_s|conv_t|bn_s|bn_t)\.", "S3D"),
    (r"(^|[./])conv3d_1a_7x7\.conv1\.", "S3D"),
    (r"(^|[./])(fc6|fc7)\.", "C3D"),
    (r"^InceptionV1/|(^|/)Conv2d_1a_7x7/", "Inception-V1, see load_inception_v1"),
)
# Axes of a 3D convolution kernel.
_VIDEO_RANK = 5


def name_architecture(tensors: Mapping[str, Stored]) -> str:
    """Names the architecture of a set of tensors, for an error message.

    Args:
        tensors: tensors by name.

    Returns:
        A clause with the architecture or, if it is unknown, the first names.
    """
    for pattern, title in _ARCHITECTURES:
        if any(re.search(pattern, name) for name in tensors):
            if title == "ResNet":
                title = _resnet(tensors)
            return f"it contains {title}"
    if not tensors:
        return "it contains no tensor"
    names = ", ".join(list(tensors)[:3])
    return f"its tensors are named {names}, ..."


def _resnet(tensors):
    kernels = [s.shape for n, s in tensors.items() if re.search(r"layer1\.0\.conv", n)]
    deep = any(re.search(r"layer3\.2[2-9]\.", name) for name in tensors)
    bottleneck = any(re.search(r"layer1\.0\.conv3", name) for name in tensors)
    depth = "101" if deep else "50" if bottleneck else "18 or 34"
    if any(len(shape) == _VIDEO_RANK for shape in kernels):
        return f"I3D ResNet-{depth}, a different architecture"
    return f"ResNet-{depth} of images"
