r"""Inflates Inception-V1 of images, trained on ImageNet, to I3D.

  i3d inflate --from=inception_v1.ckpt --out=imagenet_rgb
  i3d inflate --from=inception_v1.ckpt --stream=flow \
    --out=imagenet_flow

TF-slim's inception_v1.ckpt is in
http://download.tensorflow.org/models/inception_v1_2016_08_28.tar.gz (unpack it first).
The new checkpoint has the released format, without a classifier. Train it with
i3d train --recipe=release_rgb --init=imagenet_rgb. The paper's other architectures
start from the original file: --model=two_stream --init=inception_v1.ckpt.
"""

from absl import flags

from ..streams import CHANNELS
from ..utils import files
from . import program

_FROM = flags.DEFINE_string(
    "from", None, "TF-slim's checkpoint: its file or its prefix.", required=True
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder or prefix of the checkpoint to write.", required=True
)
_STREAM = flags.DEFINE_enum(
    "stream",
    "rgb",
    list(CHANNELS),
    "Stream of I3D; for flow, the first kernel is the mean over the colours.",
)


def main(argv):
    """Inflates the checkpoint."""
    program.reject_positional(argv)
    files.check_writable(_OUT.value)
    with program.quiet_tensorflow():
        from ..checkpoints.inception_v1 import inflate_checkpoint
    prefix = inflate_checkpoint(_FROM.value, _OUT.value, stream=_STREAM.value)
    print(f"{prefix}: I3D's trunk of {_STREAM.value}; train it with --init={prefix}")
