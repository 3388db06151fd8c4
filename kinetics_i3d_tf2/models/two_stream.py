"""TwoStream: one RGB frame and a stack of flow, each through its own Inception-V1."""

import math

import keras
from keras import ops

from ..arguments import suggest_arguments
from ..streams import SCOPES
from .baseline import Baseline, StackFlow, classifier
from .checks import check_snippet
from .endpoint_model import EndpointModel


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class TwoStream(Baseline):
    """The paper's Two-Stream: two 2D networks with averaged predictions.

    Other arguments and errors are those of `Baseline`; the stream is "joint", "rgb" or
    "flow".

    Args:
        snippet: flow frames for each RGB frame.

    Input shape: float32 in [-1, 1], `{"rgb": (batch, 1, height, width, 3), "flow":
    (batch, snippet, height, width, 2)}`, or one of the two; height and width are free.

    Output shape: float32 `(batch, num_classes)`: a stream's logits, or of "joint" the
    log of the mean of the two streams' predictions. The softmax of that is the mean,
    and its cross-entropy trains the averaging as well.

    Examples:
        >>> model = TwoStream(stream="flow", width=1 / 8)
        >>> model(np.zeros((1, 10, 224, 224, 2), "float32")).shape
        (1, 400)

    Source: section 2.2 and figure 2 (c) of the paper (arXiv 1705.07750).
    """

    kind = "two_stream"
    STREAMS = ("joint", "rgb", "flow")

    def __init__(self, *args, snippet=10, **kwargs):
        check_snippet(snippet)
        self.snippet = snippet
        super().__init__(*args, **kwargs)

    def per_stream(self):
        """Model that returns each stream's logits too and shares this one's weights.

        Returns:
            `keras.Model` over the same clips; its output is a dict of "rgb", "flow" and
            "joint", the last as this model's own.

        Raises:
            ValueError: this model is of one stream.
        """
        if self.stream != "joint":
            raise ValueError(
                f"This model has the {self.stream} stream alone; build it with "
                'stream="joint" for both'
            )
        features = {s: self.get_layer(f"Dropout_{s}").output for s in SCOPES}
        logits = self.get_layer("Logits")(features)
        outputs = {**logits, "joint": self.get_layer("Joint")(logits)}
        return EndpointModel(self.input, outputs, name=f"{self.name}_streams")

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        return {**super().get_config(), "snippet": self.snippet}

    def _clip_shapes(self):
        return {"rgb": (1, None, None, 3), "flow": (self.snippet, None, None, 2)}

    def _connect(self, clips):
        policy, head = self._policy, self._head_policy
        features = {}
        for stream, clip in clips.items():
            if stream == "flow":
                clip = StackFlow(self.snippet, dtype=policy, name="Stack")(clip)
            clip = self._trunk(stream)(clip)
            clip = keras.layers.GlobalAveragePooling3D(
                data_format="channels_last", dtype=policy, name=f"Average_{stream}"
            )(clip)
            features[stream] = self._dropout(f"Dropout_{stream}")(clip)
        logits = StreamLogits(
            self.num_classes, streams=list(clips), dtype=head, name="Logits"
        )(features)
        if self.stream == "joint":
            return MeanOfPredictions(dtype=head, name="Joint")(logits)
        return logits[self.stream]


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class StreamLogits(keras.layers.Layer):
    """A linear classifier for each stream.

    Args:
        num_classes: number of classes.
        streams: names of the streams, "rgb" and "flow" or one of them.

    Input shape: dict from streams to features `(batch, features)`.
    Output shape: dict from streams to logits `(batch, num_classes)`.
    """

    def __init__(self, num_classes, *, streams, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.streams = tuple(streams)
        self.classifiers = [
            classifier(num_classes, name=SCOPES[stream], dtype=self.dtype_policy)
            for stream in self.streams
        ]

    def build(self, input_shape):
        for stream, layer in zip(self.streams, self.classifiers, strict=True):
            layer.build(input_shape[stream])

    def call(self, inputs):
        pairs = zip(self.streams, self.classifiers, strict=True)
        return {stream: layer(inputs[stream]) for stream, layer in pairs}

    def compute_output_shape(self, input_shape):
        return {s: (*input_shape[s][:-1], self.num_classes) for s in self.streams}

    def get_config(self):
        config = {"num_classes": self.num_classes, "streams": list(self.streams)}
        return {**super().get_config(), **config}


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class MeanOfPredictions(keras.layers.Layer):
    """Log of the mean of several predictions, which are softmaxes of logits.

    Input shape: dict of logits `(batch, num_classes)`.
    Output shape: `(batch, num_classes)`, logs of probabilities.
    """

    def call(self, inputs):
        logs = [ops.log_softmax(logits, axis=-1) for logits in inputs.values()]
        return ops.logsumexp(ops.stack(logs), axis=0) - math.log(len(logs))

    def compute_output_shape(self, input_shape):
        return next(iter(input_shape.values()))

    def get_config(self):
        return super().get_config()  # Inherited, Keras refuses a policy as the dtype.
