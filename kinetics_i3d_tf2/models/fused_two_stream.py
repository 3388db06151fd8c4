"""FusedTwoStream: features of RGB and flow through time, joined by a 3D convolution."""

import math

import keras
from keras import ops

from ..arguments import suggest_arguments
from .architecture import scaled
from .baseline import Baseline, StackFlow, classifier, gaussian
from .checks import check_snippet
from .inception import Unit3D

# What the trunk makes 7 x 7 features of, which are flattened.
_SIZE = 224
_WINDOW = 3  # Of the pooling: time, height and width.


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class FusedTwoStream(Baseline):
    """The paper's 3D-Fused Two-Stream: Inception-V1 on frames, then one 3D convolution.

    Other arguments and errors are those of `Baseline`; the stream is "joint", "rgb" or
    "flow".

    Args:
        snippet: flow frames for each RGB frame.

    Input shape: float32 in [-1, 1], `{"rgb": (batch, frames, 224, 224, 3), "flow":
    (batch, frames * snippet, 224, 224, 2)}`, or one of the two: RGB frames `snippet`
    apart, and the flow from each to the next. The paper has 5; the minimum is 3.

    Output shape: float32 logits `(batch, num_classes)`.

    Examples:
        >>> model = FusedTwoStream(stream="rgb", width=1 / 8)
        >>> model(np.zeros((1, 5, 224, 224, 3), "float32")).shape
        (1, 400)

    Source: section 2.2 and figure 2 (d) of the paper (arXiv 1705.07750).
    """

    kind = "fused"
    STREAMS = ("joint", "rgb", "flow")

    def __init__(self, *args, snippet=10, **kwargs):
        check_snippet(snippet)
        self.snippet = snippet
        super().__init__(*args, **kwargs)

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        return {**super().get_config(), "snippet": self.snippet}

    def _clip_shapes(self):
        return {"rgb": (None, _SIZE, _SIZE, 3), "flow": (None, _SIZE, _SIZE, 2)}

    def _check(self, inputs):
        super()._check(inputs)
        clips = inputs if isinstance(inputs, dict) else {self.stream: inputs}
        lengths = {name: clip.shape[1] for name, clip in clips.items()}
        if "flow" in lengths and lengths["flow"] is not None:
            lengths["flow"] /= self.snippet
        known = [length for length in lengths.values() if length is not None]
        if (
            any(length < _WINDOW or length % 1 for length in known)
            or len(set(known)) > 1
        ):
            raise ValueError(
                f"This fused takes at least {_WINDOW} frames of RGB, and "
                f"{self.snippet} of flow for each. Received: "
                f"{', '.join(f'{n} {clip.shape[1]}' for n, clip in clips.items())}"
            )

    def _connect(self, clips):
        policy = self._policy
        features = []
        for stream, clip in clips.items():
            if stream == "flow":
                clip = StackFlow(self.snippet, dtype=policy, name="Stack")(clip)
            features.append(self._trunk(stream)(clip))
        outputs = features[0]
        if len(features) > 1:
            outputs = keras.layers.Concatenate(dtype=policy, name="Streams")(features)
        outputs = Unit3D(
            scaled(512, self.width),
            3,
            kernel_initializer=gaussian(),
            dtype=policy,
            name="Fusion",
        )(outputs)
        outputs = keras.layers.MaxPooling3D(
            _WINDOW, data_format="channels_last", dtype=policy, name="MaxPool3d_3x3"
        )(outputs)
        outputs = _Features(dtype=policy, name="Features")(outputs)
        outputs = self._dropout("Dropout")(outputs)
        return classifier(self.num_classes, dtype=self._head_policy)(outputs)


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class _Features(keras.layers.Layer):
    """Flattens space and averages over time, which is one step for 5 frames."""

    def call(self, inputs):
        _, frames, height, width, channels = ops.shape(inputs)
        flat = ops.reshape(inputs, (-1, frames, height * width * channels))
        return ops.mean(flat, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], math.prod(input_shape[2:]))

    def get_config(self):
        return super().get_config()  # Inherited, Keras refuses a policy as the dtype.
