r"""Draws what is in a network: the kernels of its first convolution.

As figure 4 of the paper: RGB, flow and the images' network, one below the other; the
seven times of the kernels from left to right, and as an animation:
  i3d visualize filters checkpoints/flow_imagenet \
    checkpoints/rgb_imagenet inception_v1.ckpt --out=filters

Writes filters.png and filters.gif. Checkpoints are prefixes or folders, of any
architecture here, or TF-slim's Inception-V1. Needs the extra plot.

RGB kernels are drawn in their colours, grey where they are 0; of flow kernels, the hue
is the direction to which they answer (right red, down green, left cyan, up violet),
white where they are 0. Each is scaled by its own largest weight.
"""

from absl import flags

from ..visualization import filters, plots
from . import output_flags, program

_OUT = flags.DEFINE_string(
    "out", "filters", "The pictures without their suffix; .png and .gif are added."
)


def main(argv):
    """Draws what the arguments ask for."""
    what, *paths = argv[1:] or [""]
    if what != "filters" or not paths:
        raise ValueError(
            "nothing to draw; type i3d visualize filters "
            f"CHECKPOINT [CHECKPOINT ...]. Received: {' '.join(argv[1:]) or 'nothing'}"
        )
    if not plots.is_installed():
        raise ValueError(f"pictures need matplotlib: {plots.INSTALL}")
    output_flags.check(_OUT)
    with program.quiet_tensorflow():
        import tensorflow  # noqa: F401 (it is silent once it was imported quietly)
    networks = filters.draw_filters(paths, _OUT.value)
    for each in networks:
        print(f"{each.title}: {each.values.shape[-1]} kernels, {each.name}")
    print(f"{_OUT.value}.png, {_OUT.value}.gif")
