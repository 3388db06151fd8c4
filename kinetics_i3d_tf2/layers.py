"""The three layers that I3D is made of, named and nested as Sonnet's scopes.

Sonnet's constants live here: every module of the release uses these.
"""

import keras
from keras import ops

from .architecture import HEAD_WINDOW, MIN_FRAMES, MIN_SIZE, Mixed

# Defaults of Sonnet's BatchNorm as the release used it (no scale, so no gamma).
BATCH_NORM_MOMENTUM = 0.999
BATCH_NORM_EPSILON = 1e-3

_serializable = keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")


@_serializable
class Unit3D(keras.layers.Layer):
    """3D convolution, padded SAME, then batch norm and ReLU.

    Args:
        filters: output channels.
        kernel_size: edge of the cubic kernel.
        strides: stride along time, height and width.
        use_batch_norm: normalise the convolution's output; without it the
            convolution has a bias instead.
        activation: name of a Keras activation, or None.

    Input shape: `(batch, frames, height, width, channels)`.
    Output shape: `(batch, ceil(frames / strides), ceil(height / strides),
    ceil(width / strides), filters)`.
    """

    def __init__(
        self,
        filters,
        kernel_size=1,
        strides=1,
        *,
        use_batch_norm=True,
        activation="relu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.use_batch_norm = use_batch_norm
        self.activation = activation
        self.conv_3d = keras.layers.Conv3D(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            data_format="channels_last",
            use_bias=not use_batch_norm,
            dtype=self.dtype_policy,
            name="conv_3d",
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
        self.conv_3d.build(input_shape)
        if self.batch_norm is not None:
            self.batch_norm.build(self.conv_3d.compute_output_shape(input_shape))

    def call(self, inputs, training=None):
        outputs = self.conv_3d(inputs)
        if self.batch_norm is not None:
            outputs = self.batch_norm(outputs, training=training)
        return self._activate(outputs)

    def compute_output_shape(self, input_shape):
        return self.conv_3d.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "use_batch_norm": self.use_batch_norm,
            "activation": self.activation,
        }


@_serializable
class InceptionBlock(keras.layers.Layer):
    """Four parallel branches, concatenated along channels.

    Args:
        row: the block's row of the architecture table; its filters are used as
            they are, so a narrow model passes a scaled row.
        use_batch_norm: as in `Unit3D`.

    Input shape: `(batch, frames, height, width, channels)`.
    Output shape: the same, with `row.b0 + row.b1[1] + row.b2[1] + row.b3` channels.
    """

    def __init__(self, row, *, use_batch_norm=True, **kwargs):
        row = Mixed(*row)  # A saved configuration holds the row as a plain list.
        super().__init__(**{"name": row.name, **kwargs})
        self.row = row
        self.use_batch_norm = use_batch_norm

        def unit(name, filters, kernel_size):
            return Unit3D(
                filters,
                kernel_size,
                use_batch_norm=use_batch_norm,
                dtype=self.dtype_policy,
                name=name,
            )

        pool = keras.layers.MaxPooling3D(
            3,
            strides=1,
            padding="same",
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="MaxPool3d_0a_3x3",
        )
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
            "use_batch_norm": self.use_batch_norm,
        }


class _Branch(keras.layers.Layer):
    """Layers one after the other; `keras.Sequential` takes twice as long to build."""

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


@_serializable
class Logits(keras.layers.Layer):
    """Average pool, dropout, 1x1x1 classifier, mean over time.

    Args:
        num_classes: number of classes.
        dropout_rate: share of the pooled features dropped in training.
        spatial_squeeze: also average the logits over space. At 224 pixels there is
            one place and this only drops its axes; above, it is the paper's fully
            convolutional test.

    Input shape: `(batch, frames, height, width, channels)`, at least (2, 7, 7).
    Output shape: `(batch, num_classes)` when `spatial_squeeze`, else
    `(batch, height - 6, width - 6, num_classes)`.
    """

    def __init__(
        self, num_classes, *, dropout_rate=0.5, spatial_squeeze=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.dropout_rate = dropout_rate
        self.spatial_squeeze = spatial_squeeze
        self.pool = keras.layers.AveragePooling3D(
            HEAD_WINDOW,
            strides=1,
            padding="valid",
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="AvgPool3d_0a_7x7",
        )
        self.dropout = keras.layers.Dropout(
            dropout_rate, dtype=self.dtype_policy, name="Dropout_0b"
        )
        self.classifier = Unit3D(
            num_classes,
            use_batch_norm=False,
            activation=None,
            dtype=self.dtype_policy,
            name="Conv3d_0c_1x1",
        )

    def build(self, input_shape):
        self.classifier.build(self.pool.compute_output_shape(input_shape))

    def call(self, inputs, training=None):
        _check_window(inputs)
        features = self.dropout(self.pool(inputs), training=training)
        logits = self.classifier(features)
        return ops.mean(logits, axis=(1, 2, 3) if self.spatial_squeeze else 1)

    def compute_output_shape(self, input_shape):
        batch, _, height, width, _ = self.pool.compute_output_shape(input_shape)
        space = () if self.spatial_squeeze else (height, width)
        return (batch, *space, self.num_classes)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout_rate": self.dropout_rate,
            "spatial_squeeze": self.spatial_squeeze,
        }


def _check_window(inputs):
    """Refuses clips that the head cannot pool: their mean of nothing would be NaN."""
    message = (
        f"Logits needs clips of at least {MIN_FRAMES} frames and {MIN_SIZE} pixels a "
        "side; loop or resize them first."
    )
    sizes = inputs.shape[1:4]
    if any(n is not None and n < m for n, m in zip(sizes, HEAD_WINDOW, strict=True)):
        raise ValueError(message)
    if None in sizes and keras.backend.backend() == "tensorflow":
        # Only TensorFlow runs graphs whose shapes are not known when they are built.
        import tensorflow as tf

        tf.debugging.assert_greater_equal(tf.shape(inputs)[1:4], HEAD_WINDOW, message)
