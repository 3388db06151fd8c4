"""I3D as a Keras model: the trunk, and `Logits` on it."""

import keras

from ..arguments import suggest_arguments
from ..streams import SCOPES, stream_of
from .architecture import ENDPOINTS, TRUNK
from .checks import (
    check_activation,
    check_arguments,
    check_clip,
    check_endpoints,
    check_temporal,
)
from .endpoint_model import EndpointModel
from .head_policy import HeadPolicy
from .inception import trunk_layer
from .logits import Logits
from .named_model import NamedModel


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class InceptionI3d(NamedModel):
    """Inflated 3D Inception-V1 of the 2017 release.

    Layers carry the Sonnet scopes' names, so `[v.path for v in model.weights]` are
    the variables of a released checkpoint, with `kernel` for `w` and `bias` for `b`.

    Args:
        num_classes: number of classes of `Logits`; by default that of `class_names` or
            `weights`, or 400. If `weights` has another number, the classifier is new.
        spatial_squeeze: average the logits over space as well as over time.
        final_endpoint: last endpoint to build, one of `VALID_ENDPOINTS`; the model
            returns it.
        temporal: "mean" gives one answer for a clip, the release's; "dense" gives
            logits at each place in time, whose mean that is. See `models.dense`. By
            default that of `weights`, or "mean".
        activation: what makes probabilities of logits, for `Predictions` and for
            programs that use the model: "softmax", whose sum is 1, or "sigmoid", one
            for each class by itself; by default that of `weights`, or "softmax".
        weights: weights to load: the name of a released checkpoint ("rgb_imagenet",
            downloaded on first use), the path of a checkpoint or of any file that
            `import_weights` reads, or None for random weights.
        class_names: names of the classes, by index; by default those of `weights`.
        num_channels: channels of the input: 3 for RGB, 2 for optical flow; by default
            that of `weights`, or 3.
        dropout_rate: share of features dropped before the classifier in training,
            in [0, 1).
        width: factor on every trunk unit's filters (at least 1 is kept); 1.0 is the
            release, less makes a small model for tests and demonstrations; by default
            that of `weights`, or 1.0.
        name: name of the model.
        dtype: dtype policy; by default the global one.
        trainable: whether the weights are trained.

    Input shape: float32 `(batch, frames, height, width, num_channels)` in [-1, 1];
    frames, height and width are free, from 9 frames and 193 pixels when the model
    reaches `Logits`.

    Output shape: `(batch, num_classes)` for `Logits` and `Predictions` with
    `spatial_squeeze`, `(batch, h, w, num_classes)` without, each with an axis of time
    after the batch if `temporal` is "dense"; else the endpoint's
    `(batch, t, h, w, channels)`. With a half-precision policy the trunk computes in
    half precision and the logits are float32.

    Raises:
        TypeError: an unknown argument.
        OSError: `weights` are missing, or cannot be downloaded.
        ValueError: an argument out of range, `weights` of another model, or an input
            that is too short, too small, of integers or of another number of channels.
            A TensorFlow graph that was built for free shapes raises
            `tf.errors.InvalidArgumentError` instead.

    Examples:
        >>> model = InceptionI3d(weights="rgb_imagenet")
        >>> logits = model.predict(preprocess_input(read_video("clip.mp4")))
        >>> decode_predictions(logits, top=1)
        [[('playing cricket', 0.9999)]]
        >>> InceptionI3d(weights="rgb_imagenet", num_classes=101)  # to fine-tune

    Source: `i3d.py` of the release; figure 3 of the paper (arXiv 1705.07750).
    """

    kind = "i3d"
    VALID_ENDPOINTS = ENDPOINTS

    def __init__(
        self,
        num_classes=None,
        spatial_squeeze=True,
        final_endpoint="Logits",
        *,
        temporal=None,
        activation=None,
        weights=None,
        class_names=None,
        num_channels=None,
        dropout_rate=0.5,
        width=None,
        name="inception_i3d",
        dtype=None,
        trainable=True,
    ):
        checkpoint, chosen = _complete(
            weights,
            num_classes=num_classes,
            class_names=class_names,
            num_channels=num_channels,
            width=width,
            temporal=temporal,
            activation=activation,
            final_endpoint=final_endpoint,
        )
        num_classes, num_channels = chosen["num_classes"], chosen["num_channels"]
        width, temporal = chosen["width"], chosen["temporal"]
        activation = chosen["activation"]
        check_arguments(num_classes, final_endpoint, num_channels, dropout_rate, width)
        check_temporal(temporal)
        check_activation(activation)
        policy = keras.dtype_policies.get(dtype)
        # Clips are float32, whatever Keras's floatx is; layers convert them.
        shape = (None, None, None, num_channels)
        inputs = keras.Input(shape, name="clip", dtype="float32")
        head = {
            "num_classes": num_classes,
            "dropout_rate": dropout_rate,
            "spatial_squeeze": spatial_squeeze,
            "temporal": temporal,
            "activation": activation,
        }
        outputs = inputs
        for endpoint in ENDPOINTS[: ENDPOINTS.index(final_endpoint) + 1]:
            outputs = _layer(endpoint, width, head, policy)(outputs)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.num_classes = num_classes
        self.spatial_squeeze = spatial_squeeze
        self.temporal = temporal
        self.activation = activation
        self.final_endpoint = final_endpoint
        self.num_channels = num_channels
        self.dropout_rate = dropout_rate
        self.width = width
        self.class_names = chosen["class_names"]
        self._policy = policy
        if checkpoint is not None:
            checkpoint.load_into(self)

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

    def endpoint_model(self, endpoints, *, temporal=None):
        """Model that returns several endpoints at once and shares this one's weights.

        Args:
            endpoints: names of endpoints, each at or before `final_endpoint`.
            temporal: "mean" or "dense", for `Logits` and `Predictions`; by default the
                model's own.

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
        if temporal not in (None, self.temporal):
            check_temporal(temporal)
            outputs |= {k: v for k, v in self._heads(temporal).items() if k in outputs}
        return EndpointModel(self.inputs[0], outputs, name=f"{self.name}_endpoints")

    def _heads(self, temporal):
        """`Logits` and `Predictions` of another `temporal`."""
        if self.final_endpoint not in ENDPOINTS[-2:]:
            return {}
        own = self.get_layer("Logits")
        logits = own.with_temporal(temporal)(own.input)
        activation = {"activation": self.activation}
        return {
            "Logits": logits,
            "Predictions": _layer("Predictions", None, activation, self._policy)(
                logits
            ),
        }

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        return {
            "num_classes": self.num_classes,
            "spatial_squeeze": self.spatial_squeeze,
            "temporal": self.temporal,
            "activation": self.activation,
            "final_endpoint": self.final_endpoint,
            "class_names": self.class_names and list(self.class_names),
            "num_channels": self.num_channels,
            "dropout_rate": self.dropout_rate,
            "width": self.width,
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self._policy),
        }


def _layer(endpoint, width, head, policy):
    """The layer of one endpoint."""
    dtype = HeadPolicy.after(policy)
    if endpoint == "Logits":
        options = {k: v for k, v in head.items() if k != "activation"}
        return Logits(**options, dtype=dtype, name=endpoint)
    if endpoint == "Predictions":
        return keras.layers.Activation(head["activation"], dtype=dtype, name=endpoint)
    row = next(row for row in TRUNK if row.name == endpoint)
    return trunk_layer(row, width=width, dtype=policy)


def _complete(weights, **chosen):
    """Opens the weights, and completes arguments by theirs or the defaults."""
    checkpoint = None
    if weights is not None:
        # The one import from above, for the argument that Keras users expect.
        from ..checkpoints import pretrained

        checkpoint = pretrained.open_weights(weights)
        chosen = checkpoint.model_arguments("i3d", chosen)
    elif chosen["class_names"] is not None and chosen["num_classes"] is None:
        chosen = {**chosen, "num_classes": len(chosen["class_names"])}
    defaults = {
        "num_classes": 400,
        "class_names": None,
        "num_channels": 3,
        "width": 1.0,
        "temporal": "mean",
        "activation": "softmax",
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    return checkpoint, {**defaults, **given}
