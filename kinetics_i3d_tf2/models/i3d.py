"""I3D as a Keras model: the trunk, the classifier on it, the sum of two streams."""

import keras
from keras import ops

from ..streams import SCOPES, stream_of
from .architecture import ENDPOINTS, HEAD_WINDOW, TRUNK
from .checks import check_arguments, check_clip, check_endpoints, check_window
from .head_policy import HeadPolicy
from .inception import Unit3D, trunk_layer


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
        check_window(inputs)
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


@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class InceptionI3d(keras.Model):
    """Inflated 3D Inception-V1 of the 2017 release.

    Layers carry the Sonnet scopes' names, so `[v.path for v in model.weights]` are
    the variables of a released checkpoint, with `kernel` for `w` and `bias` for `b`.

    Args:
        num_classes: number of classes of `Logits`.
        spatial_squeeze: average the logits over space as well as over time.
        final_endpoint: last endpoint to build, one of `VALID_ENDPOINTS`; the model
            returns it.
        num_channels: channels of the input: 3 for RGB, 2 for optical flow.
        dropout_rate: share of features dropped before the classifier in training,
            in [0, 1).
        width: factor on every trunk unit's filters (at least 1 is kept); 1.0 is the
            release, less makes a small model for tests and demonstrations.
        name: name of the model.
        **kwargs: `dtype` (a dtype policy; by default the global one) and `trainable`,
            as for every Keras layer.

    Input shape: float32 `(batch, frames, height, width, num_channels)` in [-1, 1];
    frames, height and width are free, from 9 frames and 193 pixels when the model
    reaches `Logits`.

    Output shape: `(batch, num_classes)` for `Logits` and `Predictions` with
    `spatial_squeeze`, `(batch, h, w, num_classes)` without; else the endpoint's
    `(batch, t, h, w, channels)`. With a half-precision policy the trunk computes in
    half precision and the logits are float32.

    Raises:
        ValueError: an argument out of range, or an input that is too short, too
            small or has another number of channels. A TensorFlow graph that was built
            for free shapes raises `tf.errors.InvalidArgumentError` instead.

    Examples:
        >>> model = InceptionI3d(width=1 / 8)
        >>> model(np.zeros((1, 16, 224, 224, 3), "float32")).shape
        (1, 400)

    Source: `i3d.py` of the release; figure 3 of the paper (arXiv 1705.07750).
    """

    kind = "i3d"
    VALID_ENDPOINTS = ENDPOINTS

    def __init__(
        self,
        num_classes=400,
        spatial_squeeze=True,
        final_endpoint="Logits",
        *,
        num_channels=3,
        dropout_rate=0.5,
        width=1.0,
        name="inception_i3d",
        **kwargs,
    ):
        check_arguments(num_classes, final_endpoint, num_channels, dropout_rate, width)
        policy = keras.dtype_policies.get(kwargs.pop("dtype", None))
        inputs = keras.Input((None, None, None, num_channels), name="clip")
        head = {
            "num_classes": num_classes,
            "dropout_rate": dropout_rate,
            "spatial_squeeze": spatial_squeeze,
        }
        outputs = inputs
        for endpoint in ENDPOINTS[: ENDPOINTS.index(final_endpoint) + 1]:
            outputs = _layer(endpoint, width, head, policy)(outputs)
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self.num_classes = num_classes
        self.spatial_squeeze = spatial_squeeze
        self.final_endpoint = final_endpoint
        self.num_channels = num_channels
        self.dropout_rate = dropout_rate
        self.width = width
        self._policy = policy

    def __call__(self, inputs, *args, **kwargs):
        """Checks the clip's static shape, then runs the model on it."""
        shape = getattr(inputs, "shape", None)
        if shape is not None:
            check_clip(tuple(shape), self.num_channels, self.final_endpoint)
        return super().__call__(inputs, *args, **kwargs)

    @property
    def stream(self) -> str | None:
        """Stream of its clips, "rgb" or "flow", by their channels."""
        return stream_of(self.num_channels)

    @property
    def checkpoint_scope(self) -> str:
        """What `save_checkpoint` puts before the names of its variables."""
        return f"{SCOPES[self.stream or 'rgb']}/inception_i3d"

    def endpoint_model(self, endpoints):
        """Model that returns several endpoints at once and shares this one's weights.

        Args:
            endpoints: names of endpoints, each at or before `final_endpoint`.

        Returns:
            `keras.Model` over the same clips; its output is a dict from endpoint to
            tensor.

        Raises:
            ValueError: an endpoint that this model does not have.

        Examples:
            >>> features = InceptionI3d().endpoint_model(["Mixed_4f", "Mixed_5c"])
            >>> features(clip)["Mixed_5c"].shape
            (1, 2, 7, 7, 1024)
        """
        check_endpoints(endpoints, self.final_endpoint)
        outputs = {name: self.get_layer(name).output for name in endpoints}
        return keras.Model(self.inputs[0], outputs, name=f"{self.name}_endpoints")

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        return {
            "num_classes": self.num_classes,
            "spatial_squeeze": self.spatial_squeeze,
            "final_endpoint": self.final_endpoint,
            "num_channels": self.num_channels,
            "dropout_rate": self.dropout_rate,
            "width": self.width,
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self._policy),
        }


def two_stream_logits(rgb_logits, flow_logits):
    """Joint logits of the two streams: their sum, with equal weight.

    Args:
        rgb_logits: `(..., num_classes)`, of the RGB stream.
        flow_logits: the same shape, of the Flow stream.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: the shapes differ.

    Source: `evaluate_sample.py` of the release.
    """
    rgb_logits = ops.convert_to_tensor(rgb_logits)
    flow_logits = ops.convert_to_tensor(flow_logits)
    if rgb_logits.shape != flow_logits.shape:
        raise ValueError(
            "The logits of the two streams must have one shape, from models of the "
            f"same classes. Received: RGB {tuple(rgb_logits.shape)}, "
            f"Flow {tuple(flow_logits.shape)}"
        )
    return rgb_logits + flow_logits


def two_stream_probabilities(rgb_logits, flow_logits):
    """Joint class probabilities: the softmax of `two_stream_logits`.

    Args:
        rgb_logits: logits of the RGB stream, `(..., num_classes)`.
        flow_logits: logits of the Flow stream, of the same shape.

    Returns:
        Tensor of the same shape; the last axis sums to 1.

    Raises:
        ValueError: the shapes differ.
    """
    return ops.softmax(two_stream_logits(rgb_logits, flow_logits), axis=-1)


def _layer(endpoint, width, head, policy):
    """The layer of one endpoint."""
    if endpoint == "Logits":
        return Logits(**head, dtype=HeadPolicy.after(policy), name=endpoint)
    if endpoint == "Predictions":
        return keras.layers.Softmax(dtype=HeadPolicy.after(policy), name=endpoint)
    row = next(row for row in TRUNK if row.name == endpoint)
    return trunk_layer(row, width=width, dtype=policy)
