"""ConvNetLstm: Inception-V1 on every frame, then an LSTM."""

import keras
from keras import ops

from ..arguments import suggest_arguments
from .architecture import scaled
from .baseline import Baseline, classifier, gaussian
from .batch_norm_lstm import BatchNormLstm


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class ConvNetLstm(Baseline):
    """The paper's ConvNet+LSTM: features of frames, a recurrent layer with batch norm.

    Other arguments and errors are those of `Baseline`; the stream is "rgb".

    Args:
        all_steps: output the logits of every time step, as in training; otherwise those
            of the last one, as in the paper's test.
        max_steps: frames of a clip in training, each of which has its own statistics.

    Input shape: float32 `(batch, frames, height, width, 3)` in [-1, 1], all free: 25
    frames in the paper's training and 50 in its test, every fifth of 25 a second.

    Output shape: float32 logits `(batch, num_classes)`, or with `all_steps`
    `(batch, frames, num_classes)`.

    Examples:
        >>> model = ConvNetLstm(width=1 / 8)
        >>> model(np.zeros((1, 25, 224, 224, 3), "float32")).shape
        (1, 400)

    Source: section 2.1.1 and figure 2 (a) of the paper (arXiv 1705.07750).
    """

    kind = "convnet_lstm"
    STREAMS = ("rgb",)

    def __init__(self, *args, all_steps=False, max_steps=25, **kwargs):
        if max_steps < 1:
            raise ValueError(f"max_steps must be at least 1. Received: {max_steps!r}")
        self.all_steps = all_steps
        self.max_steps = max_steps
        super().__init__(*args, **kwargs)

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        config = {"all_steps": self.all_steps, "max_steps": self.max_steps}
        return {**super().get_config(), **config}

    def _clip_shapes(self):
        return {"rgb": (None, None, None, 3)}

    def _connect(self, clips):
        outputs = self._trunk("rgb")(clips["rgb"])
        outputs = SpatialMean(dtype=self._policy, name="Average")(outputs)
        # Rounding errors add up over time, and the cost is small next to the trunk's.
        outputs = BatchNormLstm(
            scaled(512, self.width),
            max_steps=self.max_steps,
            kernel_initializer=gaussian(),
            dtype=self._head_policy,
            name="LSTM",
        )(outputs)
        if not self.all_steps:
            outputs = LastStep(dtype=self._head_policy, name="Last")(outputs)
        outputs = self._dropout("Dropout", self._head_policy)(outputs)
        return classifier(self.num_classes, dtype=self._head_policy)(outputs)


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class SpatialMean(keras.layers.Layer):
    """Mean over height and width.

    Input shape: `(batch, frames, height, width, channels)`.
    Output shape: `(batch, frames, channels)`.
    """

    def call(self, inputs):
        return ops.mean(inputs, axis=(2, 3))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], input_shape[-1])

    def get_config(self):
        return super().get_config()  # Inherited, Keras refuses a policy as the dtype.


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class LastStep(keras.layers.Layer):
    """The last of the time steps.

    Input shape: `(batch, steps, features)`.
    Output shape: `(batch, features)`.
    """

    def call(self, inputs):
        return inputs[:, -1]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return super().get_config()  # Inherited, Keras refuses a policy as the dtype.
