"""Inception-V1 up to its last block, on each frame of a clip by itself.

The network of images that I3D is inflated from, of the same table.
"""

import keras
from keras import ops

from ..arguments import suggest_arguments
from .architecture import TRUNK
from .inception import trunk_layer


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class InceptionV1(keras.layers.Layer):
    """The trunk of Inception-V1, on each frame of a clip by itself.

    Its variables are `Conv2d_1a_7x7/conv_2d/kernel` and so on, below the layer's name:
    those of I3D in two dimensions.

    Args:
        width: factor on every unit's filters; 1.0 is Inception-V1.
        use_batch_norm: as in `Unit3D`.

    Input shape: `(batch, frames, height, width, channels)`.
    Output shape: `(batch, frames, ceil(height / 32), ceil(width / 32), 1024 * width)`.

    Attributes:
        steps: its layers in order, named as the endpoints of I3D with 2d for 3d.

    Source: "Going Deeper with Convolutions" (Szegedy et al., arXiv 1409.4842), with
    batch norm, as TF-slim's `inception_v1`.
    """

    def __init__(self, width=1.0, *, use_batch_norm=True, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.use_batch_norm = use_batch_norm
        self.steps = [
            trunk_layer(
                row,
                width=width,
                rank=2,
                use_batch_norm=use_batch_norm,
                dtype=self.dtype_policy,
            )
            for row in TRUNK
        ]

    def build(self, input_shape):
        shape = (None, *input_shape[2:])
        for step in self.steps:
            step.build(shape)
            shape = step.compute_output_shape(shape)

    def call(self, clip):
        return self.endpoints(clip)["Mixed_5c"]

    def endpoints(self, clip):
        """Outputs of all layers for a clip.

        Args:
            clip: as for the layer itself.

        Returns:
            Dict from the names of I3D's endpoints, up to "Mixed_5c", to tensors
            `(batch, frames, height, width, channels)`.
        """
        frames = ops.shape(clip)[1]
        images = ops.reshape(clip, (-1, *ops.shape(clip)[2:]))
        found = {}
        for row, step in zip(TRUNK, self.steps, strict=True):
            images = step(images)
            shape = (-1, frames, *ops.shape(images)[1:])
            found[row.name] = ops.reshape(images, shape)
        return found

    def compute_output_shape(self, input_shape):
        shape = (None, *input_shape[2:])
        for step in self.steps:
            shape = step.compute_output_shape(shape)
        return (*input_shape[:2], *shape[1:])

    def get_config(self):
        return {
            **super().get_config(),
            "width": self.width,
            "use_batch_norm": self.use_batch_norm,
        }
