r"""Inflates Inception-V1 of images, trained on ImageNet, to I3D.

  i3d inflate --from=inception_v1.ckpt --out=imagenet_rgb
  i3d inflate --from=inception_v1.ckpt --stream=flow \
    --out=imagenet_flow

TF-slim's inception_v1.ckpt is in
http://download.tensorflow.org/models/inception_v1_2016_08_28.tar.gz (unpack it first).
The checkpoint that is written has the released format, without a classifier; training
begins with it: --recipe=release_rgb --init=imagenet_rgb. The paper's other
architectures of Inception-V1 begin with the file of images itself:
--model=two_stream --init=inception_v1.ckpt.
"""

from absl import flags

from ..streams import CHANNELS
from . import program

_FROM = flags.DEFINE_string(
    "from", None, "The checkpoint of TF-slim: its file, or its prefix.", required=True
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
    """Writes the checkpoint that the flags ask for."""
    program.reject_positional(argv)
    with program.quiet_tensorflow():
        from ..checkpoints import inception_v1, sonnet
        from ..models.architecture import unit_filters
        from ..models.i3d import InceptionI3d

        weights = inception_v1.read_inception_v1(_FROM.value)
        first = weights["Conv2d_1a_7x7/conv_2d/w"].shape[-1]
        model = InceptionI3d(
            final_endpoint="Mixed_5c",
            num_channels=CHANNELS[_STREAM.value],
            width=first / unit_filters(1.0)["Conv3d_1a_7x7"],
        )
        inception_v1.load_inception_v1(model, _FROM.value)
        prefix = sonnet.save_checkpoint(model, _OUT.value)
    print(
        f"{prefix}: I3D's trunk of {_STREAM.value}, {len(model.weights)} variables; "
        f"train it with --init={prefix}"
    )
