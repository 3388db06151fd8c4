"""What the paper's other architectures share: arguments, inputs, initial weights."""

import keras
from keras import ops

from ..arguments import suggest_arguments
from ..streams import SCOPES, STREAMS
from .checks import check_clips, check_head, check_width
from .head_policy import HeadPolicy
from .inception_v1 import InceptionV1
from .named_model import NamedModel


class Baseline(NamedModel):
    """An architecture of figure 2 of the paper.

    Args:
        num_classes: number of classes; by default that of `class_names`, or 400.
        stream: one of `STREAMS`, by default the first: "joint" sees RGB and flow.
        dropout_rate: share of features dropped before each classifier in training,
            in [0, 1).
        width: factor on every unit's filters (at least 1 is kept); 1.0 is the
            paper's, less is a small model for tests.
        class_names: names of the classes, by index, if they are known.
        name: name of the model, by default its `kind`.
        dtype: dtype policy; by default the global one.
        trainable: whether the weights are trained.

    Input shape: float32 `(batch, *shape)` in [-1, 1] with the shape that `clip_shapes`
    has for the stream; for "joint" a dict of them, `{"rgb": ..., "flow": ...}`.

    Output shape: float32 logits `(batch, num_classes)`, even with a half-precision
    policy.

    Attributes:
        kind: name of the architecture, and scope of its checkpoints.
        STREAMS: values of `stream` that it has.

    Raises:
        TypeError: an unknown argument.
        ValueError: an argument out of range, or an input of integers or of another
            shape.
    """

    kind: str
    STREAMS: tuple[str, ...]

    def __init__(
        self,
        num_classes=None,
        *,
        stream=None,
        dropout_rate=0.5,
        width=1.0,
        class_names=None,
        name=None,
        dtype=None,
        trainable=True,
    ):
        stream = self.STREAMS[0] if stream is None else stream
        if stream not in self.STREAMS:
            raise ValueError(
                f"stream of {self.kind} must be one of {', '.join(self.STREAMS)}. "
                f"Received: {stream!r}"
            )
        if num_classes is None:
            num_classes = 400 if class_names is None else len(class_names)
        check_head(num_classes, dropout_rate)
        check_width(width)
        self.num_classes = num_classes
        self.stream = stream
        self.dropout_rate = dropout_rate
        self.width = width
        self._policy = keras.dtype_policies.get(dtype)
        clips = {
            stream: keras.Input(shape, name=stream, dtype="float32")
            for stream, shape in self.clip_shapes.items()
        }
        outputs = self._connect(clips)
        inputs = clips if stream == "joint" else clips[stream]
        super().__init__(
            inputs=inputs,
            outputs=outputs,
            name=name or self.kind,
            trainable=trainable,
        )
        self.class_names = class_names

    @property
    def checkpoint_scope(self) -> str:
        """What `save_checkpoint` puts before the names of its variables."""
        return self.kind

    @property
    def clip_shapes(self) -> dict[str, tuple[int | None, ...]]:
        """Frames, height, width and channels of a clip of each stream; None is free."""
        shapes = self._clip_shapes()
        return {stream: shapes[stream] for stream in STREAMS[self.stream]}

    def __call__(self, inputs, *args, **kwargs):
        """Checks the clips' static shapes, then runs the model on them."""
        self._check(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def get_config(self):
        """Arguments of the constructor, for `.keras` files and clones."""
        return {
            "num_classes": self.num_classes,
            "stream": self.stream,
            "dropout_rate": self.dropout_rate,
            "width": self.width,
            "class_names": self.class_names and list(self.class_names),
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self._policy),
        }

    def _clip_shapes(self):
        """As `clip_shapes`, of all streams that the architecture has."""
        raise NotImplementedError

    def _connect(self, clips):
        """The model's output, of a dict from streams to clips."""
        raise NotImplementedError

    @property
    def _head_policy(self):
        return HeadPolicy.after(self._policy)

    def _trunk(self, stream):
        return InceptionV1(self.width, dtype=self._policy, name=SCOPES[stream])

    def _dropout(self, name, policy=None):
        policy = policy or self._policy
        return keras.layers.Dropout(self.dropout_rate, dtype=policy, name=name)

    def _check(self, inputs):
        shapes = self.clip_shapes
        if self.stream == "joint":
            received = list(inputs) if isinstance(inputs, dict) else type(inputs)
            if not isinstance(inputs, dict) or set(inputs) != set(shapes):
                raise ValueError(
                    f"A joint {self.kind} takes a dict of the clips of both streams, "
                    f'{{"rgb": ..., "flow": ...}}. Received: {received}'
                )
        elif isinstance(inputs, dict):
            raise ValueError(
                f"This {self.kind} takes the {self.stream} clips alone, not in a dict; "
                f"a joint one takes both. Received: a dict of {', '.join(inputs)}"
            )
        else:
            inputs = {self.stream: inputs}
        for stream, expected in shapes.items():
            shape = getattr(inputs[stream], "shape", None)
            if shape is not None:
                check_clips(self.kind, stream, tuple(shape), expected)


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class StackFlow(keras.layers.Layer):
    """Stacks snippets of flow frames into images: dx, dy of one frame, then the next.

    Args:
        snippet: flow frames per image.

    Input shape: `(batch, images * snippet, height, width, 2)`.
    Output shape: `(batch, images, height, width, snippet * 2)`.

    Source: "Two-Stream Convolutional Networks for Action Recognition in Videos"
    (Simonyan and Zisserman, arXiv 1406.2199), section 3.
    """

    def __init__(self, snippet, **kwargs):
        super().__init__(**kwargs)
        self.snippet = snippet

    def call(self, flow):
        _, frames, height, width, channels = ops.shape(flow)
        images = frames // self.snippet
        split = ops.reshape(flow, (-1, images, self.snippet, height, width, channels))
        stacked = ops.transpose(split, (0, 1, 3, 4, 2, 5))
        shape = (-1, images, height, width, self.snippet * channels)
        return ops.reshape(stacked, shape)

    def compute_output_shape(self, input_shape):
        batch, frames, height, width, channels = input_shape
        images = None if frames is None else frames // self.snippet
        return (batch, images, height, width, self.snippet * channels)

    def get_config(self):
        return {**super().get_config(), "snippet": self.snippet}


def gaussian():
    """Initializer of kernels that are not pretrained: Gaussian noise, scaled for ReLU.

    Source: section 2.4 of the paper initializes the new layers of its two-stream models
    with Gaussian noise; the deviation is that of "Delving Deep into Rectifiers"
    (He et al., arXiv 1502.01852).
    """
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")


def classifier(num_classes, *, name="Logits", dtype=None):
    """Linear classifier, initialized to nearly equal logits.

    Args:
        num_classes: number of classes.
        name: name of the layer.
        dtype: dtype policy.

    Returns:
        Keras layer, from `(..., features)` to `(..., num_classes)`.
    """
    return keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        dtype=dtype,
        name=name,
    )
