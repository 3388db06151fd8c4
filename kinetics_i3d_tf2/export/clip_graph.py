"""One Keras model from clips to logits, in the form that other runtimes can take."""

import functools
import warnings
from collections.abc import Mapping

import keras
from keras import ops

from ..inference.graph import fold_batch_norm
from ..utils import private_api
from . import verify
from .metadata import MAX_VALUE


def build(
    models: Mapping[str, keras.Model], *, has_3d_pooling: bool = True
) -> keras.Model:
    """Joins models to one from clips by stream to {"logits"}, without batch norm.

    Runtimes cannot raise an error for wrong values, and OpenVINO converts uint8 to
    float32 without a warning. Logits of a clip with a value outside [-1, 1] are
    therefore NaN.

    Args:
        models: by stream, as of `export_model`.
        has_3d_pooling: whether the runtime has 3D pooling.

    Returns:
        The model; the logits of two streams are summed.
    """
    inputs = {
        stream: keras.Input(value.shape[1:], name=stream, dtype="float32")
        for stream, value in verify.inputs_of(models).items()
    }
    outputs = []
    for stream in sorted(models, reverse=True):  # rgb, flow
        folded = fold_batch_norm(models[stream], dtype="float32")
        if not has_3d_pooling:
            _pool_in_planes(folded)
        # Two streams of one name cannot be in one model.
        folded = keras.Model(folded.input, folded.output, name=f"{stream}_stream")
        outputs.append(folded(inputs if stream == "joint" else inputs[stream]))
    logits = ops.add(*outputs) if len(outputs) == 2 else outputs[0]
    for clip in inputs.values():
        largest = ops.max(ops.abs(clip), axis=(1, 2, 3, 4), keepdims=False)
        is_valid = ops.reshape(
            largest <= MAX_VALUE, (-1,) + (1,) * (len(logits.shape) - 1)
        )
        logits = ops.where(is_valid, logits, float("nan"))
    # The layer's name is the output's in some formats, the key in others.
    logits = keras.layers.Identity(dtype="float32", name="logits")(logits)
    return keras.Model(inputs, {"logits": logits})


def save(graph: keras.Model, file: str, format: str) -> None:
    """Writes a model of `build` by Keras's own export.

    Args:
        graph: the model.
        file: local file.
        format: one that `keras.Model.export` takes.
    """
    signature = [
        {
            stream: keras.InputSpec(dtype="float32", shape=value.shape, name=stream)
            for stream, value in graph.input.items()
        }
    ]
    with warnings.catch_warnings():
        # Keras looks for NumPy 1's np.object, to patch tf2onnx.
        warnings.filterwarnings("ignore", r".*`np\.object`", FutureWarning)
        graph.export(file, format=format, verbose=False, input_signature=signature)


def _pool_in_planes(model):
    """Makes a model pool over space, then over time, in place.

    It is the same maximum or mean, with two-dimensional operations. LiteRT has no
    others: Keras hands it TensorFlow's 3D pooling, which needs the Flex delegate, and
    that is in no Python package since TensorFlow 2.20 (google-ai-edge/LiteRT#6458).
    """
    functions = {
        keras.layers.MaxPooling3D: ops.max_pool,
        keras.layers.AveragePooling3D: ops.average_pool,
    }
    for layer in private_api.all_layers(model):
        if type(layer) in functions:
            layer.call = functools.partial(_pooled, layer, functions[type(layer)])


def _pooled(layer, function, inputs):
    frames, *window = layer.pool_size
    frame_stride, *strides = layer.strides
    batch, time, height, width, channels = ops.shape(inputs)
    outputs = ops.reshape(inputs, (batch * time, height, width, channels))
    outputs = function(outputs, window, strides, layer.padding, "channels_last")
    _, height, width, _ = ops.shape(outputs)
    outputs = ops.reshape(outputs, (batch, time, height * width, channels))
    outputs = function(
        outputs, (frames, 1), (frame_stride, 1), layer.padding, "channels_last"
    )
    return ops.reshape(outputs, (batch, -1, height, width, channels))
