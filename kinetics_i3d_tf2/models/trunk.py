"""Inception-V1 up to its last block: I3D's of three dimensions, or one of each frame.

One table, `architecture.TRUNK`, is read for both.
"""

import keras
from keras import ops

from .architecture import TRUNK, Conv, Mixed, Pool
from .inception import UNITS, InceptionBlock, max_pool, of_rank


def trunk_layer(row, *, width=1.0, rank=3, use_batch_norm=True, dtype=None):
    """The layer of a row of `architecture.TRUNK`.

    Args:
        row: the row.
        width: factor on filters.
        rank: 3, or 2 for the network of images that I3D is inflated from.
        use_batch_norm: as in `Unit3D`.
        dtype: dtype policy; by default the global one.

    Returns:
        Keras layer, with the row's name (2d for 3d, of rank 2).
    """
    if isinstance(row, Pool):
        window, strides = row.window[3 - rank :], row.strides[3 - rank :]
        return max_pool(row.name, window, strides, rank, dtype=dtype)
    options = {"use_batch_norm": use_batch_norm, "dtype": dtype}
    row = narrowed(row, width)
    if isinstance(row, Mixed):
        return InceptionBlock(row, rank=rank, **options)
    name = of_rank(row.name, rank)
    return UNITS[rank](row.filters, row.kernel, row.stride, name=name, **options)


def narrowed(row: Conv | Mixed, width: float) -> Conv | Mixed:
    """A row with its filters times `width`."""
    if isinstance(row, Conv):
        return row._replace(filters=scaled(row.filters, width))
    return row._replace(
        b0=scaled(row.b0, width),
        b1=tuple(scaled(filters, width) for filters in row.b1),
        b2=tuple(scaled(filters, width) for filters in row.b2),
        b3=scaled(row.b3, width),
    )


def scaled(filters: int, width: float) -> int:
    """Filters of a unit in a model of some width; at least one is kept."""
    return max(1, round(filters * width))


def check_width(width: float) -> None:
    """Checks a factor on filters.

    Args:
        width: the factor.

    Raises:
        ValueError: it is not greater than 0, or not finite.
    """
    if not 0 < width < float("inf"):
        raise ValueError(
            "width multiplies the filters and must be greater than 0; 1.0 is the "
            f"published model. Received: {width!r}"
        )


def unit_filters(width: float, rank: int = 3) -> dict[str, int]:
    """Filters of every unit of a trunk, by the unit's scope."""
    filters = {}
    for row in TRUNK:
        if isinstance(row, Pool):
            continue
        row = narrowed(row, width)
        if isinstance(row, Conv):
            filters[row.name] = row.filters
        else:
            filters |= {
                f"{row.name}/Branch_0/Conv3d_0a_1x1": row.b0,
                f"{row.name}/Branch_1/Conv3d_0a_1x1": row.b1[0],
                f"{row.name}/Branch_1/Conv3d_0b_3x3": row.b1[1],
                f"{row.name}/Branch_2/Conv3d_0a_1x1": row.b2[0],
                f"{row.name}/Branch_2/{row.b2_name}": row.b2[1],
                f"{row.name}/Branch_3/Conv3d_0b_1x1": row.b3,
            }
    return {of_rank(name, rank): value for name, value in filters.items()}


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
        """What each layer makes of a clip.

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
