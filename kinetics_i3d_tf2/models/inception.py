"""The layers of Inception-V1 and I3D, named and nested as Sonnet's scopes.

The constants are the defaults of Sonnet, which the release used everywhere.
"""

import keras
from keras import ops

from ..arguments import suggest_arguments
from .architecture import Mixed, Pool, of_rank

# Defaults of Sonnet's BatchNorm as the release used it (no scale, so no gamma).
BATCH_NORM_MOMENTUM = 0.999
BATCH_NORM_EPSILON = 1e-3

_CONVOLUTIONS = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
_POOLS = {2: keras.layers.MaxPooling2D, 3: keras.layers.MaxPooling3D}

_serializable = keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")


@suggest_arguments
@_serializable
class Unit3D(keras.layers.Layer):
    """3D convolution, then batch norm and ReLU.

    Args:
        filters: output channels.
        kernel_size: edge of the cubic kernel, or its (frames, height, width).
        strides: stride along time, height and width.
        padding: "same" or "valid".
        kernel_initializer: initializer of the kernel.
        use_batch_norm: normalise the convolution's output; without it the
            convolution has a bias instead.
        activation: name of a Keras activation, or None.

    Input shape: `(batch, frames, height, width, channels)`.
    Output shape: `(batch, ceil(frames / strides), ceil(height / strides),
    ceil(width / strides), filters)`, when padded.
    """

    rank = 3

    def __init__(
        self,
        filters,
        kernel_size=1,
        strides=1,
        *,
        padding="same",
        kernel_initializer="glorot_uniform",
        use_batch_norm=True,
        activation="relu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.use_batch_norm = use_batch_norm
        self.activation = activation
        self.convolution = _CONVOLUTIONS[self.rank](
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format="channels_last",
            use_bias=not use_batch_norm,
            kernel_initializer=self.kernel_initializer,
            dtype=self.dtype_policy,
            name=f"conv_{self.rank}d",
        )
        self.batch_norm = None
        if use_batch_norm:
            self.batch_norm = keras.layers.BatchNormalization(
                momentum=BATCH_NORM_MOMENTUM,
                epsilon=BATCH_NORM_EPSILON,
                scale=False,
                dtype=self.dtype_policy,
                name="batch_norm",
            )
        self._activate = keras.activations.get(activation)

    def build(self, input_shape):
        self.convolution.build(input_shape)
        if self.batch_norm is not None:
            self.batch_norm.build(self.convolution.compute_output_shape(input_shape))

    def call(self, inputs, training=None):
        outputs = self.convolution(inputs)
        if self.batch_norm is not None:
            outputs = self.batch_norm(outputs, training=training)
        return self._activate(outputs)

    def compute_output_shape(self, input_shape):
        return self.convolution.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "use_batch_norm": self.use_batch_norm,
            "activation": self.activation,
        }


@suggest_arguments
@_serializable
class Unit2D(Unit3D):
    """2D convolution, then batch norm and ReLU: `Unit3D` without time.

    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`,
    when padded.
    """

    rank = 2


UNITS = {2: Unit2D, 3: Unit3D}


@suggest_arguments
@_serializable
class InceptionBlock(keras.layers.Layer):
    """Four parallel branches, concatenated along channels.

    Args:
        row: the block's row of the architecture table; its filters are used as
            they are, so a narrow model passes a scaled row.
        rank: 3, or 2 for images; names of units then have 2d for 3d.
        use_batch_norm: as in `Unit3D`.

    Input shape: `(batch, frames, height, width, channels)`, without frames of rank 2.
    Output shape: the same, with `row.b0 + row.b1[1] + row.b2[1] + row.b3` channels.
    """

    def __init__(self, row, *, rank=3, use_batch_norm=True, **kwargs):
        row = Mixed(*row)  # A saved configuration holds the row as a plain list.
        super().__init__(**{"name": row.name, **kwargs})
        self.row = row
        self.rank = rank
        self.use_batch_norm = use_batch_norm

        def unit(name, filters, kernel_size):
            return UNITS[rank](
                filters,
                kernel_size,
                use_batch_norm=use_batch_norm,
                dtype=self.dtype_policy,
                name=of_rank(name, rank),
            )

        pool = max_pool("MaxPool3d_0a_3x3", 3, 1, rank, dtype=self.dtype_policy)
        branches = (
            [unit("Conv3d_0a_1x1", row.b0, 1)],
            [unit("Conv3d_0a_1x1", row.b1[0], 1), unit("Conv3d_0b_3x3", row.b1[1], 3)],
            [unit("Conv3d_0a_1x1", row.b2[0], 1), unit(row.b2_name, row.b2[1], 3)],
            [pool, unit("Conv3d_0b_1x1", row.b3, 1)],
        )
        self.branches = [
            _Branch(branch, dtype=self.dtype_policy, name=f"Branch_{index}")
            for index, branch in enumerate(branches)
        ]

    def build(self, input_shape):
        for branch in self.branches:
            branch.build(input_shape)

    def call(self, inputs):
        return ops.concatenate([branch(inputs) for branch in self.branches], axis=-1)

    def compute_output_shape(self, input_shape):
        row = self.row
        return (*input_shape[:-1], row.b0 + row.b1[1] + row.b2[1] + row.b3)

    def get_config(self):
        return {
            **super().get_config(),
            "row": list(self.row),
            "rank": self.rank,
            "use_batch_norm": self.use_batch_norm,
        }


def max_pool(name, window, strides, rank, *, dtype=None):
    """Max pooling, padded SAME, of a row's name, window and strides."""
    return _POOLS[rank](
        window,
        strides=strides,
        padding="same",
        data_format="channels_last",
        dtype=dtype,
        name=of_rank(name, rank),
    )


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
    row = row.scaled(width)
    if isinstance(row, Mixed):
        return InceptionBlock(row, rank=rank, **options)
    name = of_rank(row.name, rank)
    return UNITS[rank](row.filters, row.kernel, row.stride, name=name, **options)


class _Branch(keras.layers.Layer):
    """Layers in sequence; `keras.Sequential` takes twice as long to build."""

    def __init__(self, steps, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps

    def build(self, input_shape):
        for step in self.steps:
            step.build(input_shape)
            input_shape = step.compute_output_shape(input_shape)

    def call(self, inputs):
        for step in self.steps:
            inputs = step(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        for step in self.steps:
            input_shape = step.compute_output_shape(input_shape)
        return input_shape
