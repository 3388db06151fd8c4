"""FusedTwoStream: features of RGB and flow through time, joined by a 3D convolution."""

import keras

from ..layers import Unit3D
from ..trunk import scaled
from .base import Baseline, StackFlow, check_snippet, classifier, gaussian

# What the trunk makes 7 x 7 features of, which are flattened.
_SIZE = 224


@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class FusedTwoStream(Baseline):
    """The paper's 3D-Fused Two-Stream: Inception-V1 on frames, then one 3D convolution.

    Args, Raises: as `Baseline`; the stream is "joint", "rgb" or "flow".
        snippet: flow frames beside an RGB frame.
        num_snippets: RGB frames; 3 at least, which the pooling in time needs.

    Input shape: float32 in [-1, 1], `{"rgb": (batch, num_snippets, 224, 224, 3),
    "flow": (batch, num_snippets * snippet, 224, 224, 2)}`, or one of the two: RGB
    frames `snippet` apart, and the flow from each to the next.

    Output shape: float32 logits `(batch, num_classes)`.

    Example:
    >>> model = FusedTwoStream(stream="rgb", width=1 / 8)
    >>> model(np.zeros((1, 5, 224, 224, 3), "float32")).shape
    (1, 400)

    Source: section 2.2 and figure 2 (d) of the paper (arXiv 1705.07750).
    """

    kind = "fused"
    STREAMS = ("joint", "rgb", "flow")

    def __init__(self, *args, snippet=10, num_snippets=5, **kwargs):
        check_snippet(snippet)
        if num_snippets < 3:
            raise ValueError(
                "num_snippets must be at least 3, which are pooled into one. "
                f"Received: {num_snippets!r}"
            )
        self.snippet = snippet
        self.num_snippets = num_snippets
        super().__init__(*args, **kwargs)

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        config = {"snippet": self.snippet, "num_snippets": self.num_snippets}
        return {**super().get_config(), **config}

    def _clip_shapes(self):
        flow_frames = self.num_snippets * self.snippet
        return {
            "rgb": (self.num_snippets, _SIZE, _SIZE, 3),
            "flow": (flow_frames, _SIZE, _SIZE, 2),
        }

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
            3, data_format="channels_last", dtype=policy, name="MaxPool3d_3x3"
        )(outputs)
        outputs = keras.layers.Flatten(dtype=policy, name="Features")(outputs)
        outputs = self._dropout("Dropout")(outputs)
        return classifier(self.num_classes, dtype=self._head_dtype)(outputs)
