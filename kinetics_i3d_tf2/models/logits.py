"""The head of I3D: average pool, classifier, mean over time or logits at each time."""

import keras
from keras import ops

from ..arguments import suggest_arguments
from .architecture import HEAD_WINDOW
from .checks import check_window
from .inception import Unit3D


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class Logits(keras.layers.Layer):
    """Average pool, dropout, 1x1x1 classifier; by default their mean over time.

    Args:
        num_classes: number of classes.
        dropout_rate: share of the pooled features dropped in training.
        spatial_squeeze: also average the logits over space. At 224 pixels there is
            one place and this only drops its axes; above, it is the paper's fully
            convolutional test.
        temporal: "mean" averages the logits over time; "dense" keeps them.

    Input shape: `(batch, frames, height, width, channels)`, at least (2, 7, 7).
    Output shape: `(batch, num_classes)` when `spatial_squeeze`, else
    `(batch, height - 6, width - 6, num_classes)`; with "dense", the axis `frames - 1`
    comes after the batch.
    """

    def __init__(
        self,
        num_classes,
        *,
        dropout_rate=0.5,
        spatial_squeeze=True,
        temporal="mean",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.dropout_rate = dropout_rate
        self.spatial_squeeze = spatial_squeeze
        self.temporal = temporal
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
        check_window(inputs)
        features = self.dropout(self.pool(inputs), training=training)
        logits = self.classifier(features)
        axes = [1] * (self.temporal == "mean") + [2, 3] * self.spatial_squeeze
        return ops.mean(logits, axis=tuple(axes)) if axes else logits

    def with_temporal(self, temporal: str) -> "Logits":
        """The layer with another `temporal`; it shares the weights of this one."""
        layer = type(self).from_config({**self.get_config(), "temporal": temporal})
        del layer.classifier
        layer.classifier = self.classifier
        layer.built = True
        return layer

    def compute_output_shape(self, input_shape):
        batch, frames, height, width, _ = self.pool.compute_output_shape(input_shape)
        time = () if self.temporal == "mean" else (frames,)
        space = () if self.spatial_squeeze else (height, width)
        return (batch, *time, *space, self.num_classes)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout_rate": self.dropout_rate,
            "spatial_squeeze": self.spatial_squeeze,
            "temporal": self.temporal,
        }
