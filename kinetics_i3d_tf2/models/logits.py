"""The head of I3D: pooled features to class scores."""

import keras
from keras import ops

from .architecture import HEAD_WINDOW, MIN_FRAMES, MIN_SIZE
from .inception import Unit3D


@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
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


def head_dtype(policy):
    """Dtype policy of a head on a trunk of that policy: float32 if it is of half.

    A logit near 40 has steps of 0.25 in bfloat16, and a head is cheap.

    Args:
        policy: the trunk's dtype policy.

    Returns:
        A dtype policy, or its name.
    """
    return "float32" if policy.compute_dtype in ("float16", "bfloat16") else policy


def check_head(num_classes, dropout_rate) -> None:
    """Checks what every model's head is made of.

    Args:
        num_classes: number of classes.
        dropout_rate: share of features dropped before the classifier.

    Raises:
        ValueError: one of them is out of range.
    """
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1. Received: {num_classes!r}")
    if not 0 <= dropout_rate < 1:
        raise ValueError(
            "dropout_rate is the share of features dropped and must be in [0, 1); the "
            f"release trained with 0.5. Received: {dropout_rate!r}"
        )


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
