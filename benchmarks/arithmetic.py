"""What the convolutions of I3D cost, and what this machine can do."""

import functools
import time

import numpy as np


def plain_model(shape):
    """The same graph out of Keras's own layers, without a layer of this package."""
    from keras import Input, Model, layers, ops

    from kinetics_i3d_tf2.models.architecture import (
        HEAD_WINDOW,
        TRUNK,
        Conv,
        Pool,
    )

    def unit(x, filters, kernel=1, stride=1):
        x = layers.Conv3D(filters, kernel, stride, "same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False, epsilon=1e-3)(x)
        return layers.ReLU()(x)

    inputs = x = Input(shape)
    for row in TRUNK:
        if isinstance(row, Conv):
            x = unit(x, row.filters, row.kernel, row.stride)
        elif isinstance(row, Pool):
            x = layers.MaxPooling3D(row.window, row.strides, "same")(x)
        else:
            branches = [
                unit(x, row.b0),
                unit(unit(x, row.b1[0]), row.b1[1], 3),
                unit(unit(x, row.b2[0]), row.b2[1], 3),
                unit(layers.MaxPooling3D(3, 1, "same")(x), row.b3),
            ]
            x = layers.Concatenate()(branches)
    x = layers.AveragePooling3D(HEAD_WINDOW, 1)(x)
    x = layers.Conv3D(400, 1)(x)
    return Model(inputs, ops.mean(x, axis=(1, 2, 3)))


@functools.cache
def multiply_adds(frames):
    """Of all convolutions on one clip of 224 pixels."""
    from keras.layers import Conv3D

    total = 0
    for layer in plain_model((frames, 224, 224, 3)).layers:
        if isinstance(layer, Conv3D):
            places = np.prod(layer.output.shape[1:4])
            total += int(places) * int(np.prod(layer.kernel.shape))
    return total


def fastest(function):
    """Least seconds of several runs, compiled or traced before."""
    function()
    seconds, end = [], time.perf_counter() + 2
    while time.perf_counter() < end or len(seconds) < 3:
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def matmul_rate(dtype, size=4096):
    """Operations a second of one large matrix product."""
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal([size, size]), dtype)
    start = time.perf_counter()
    tf.matmul(matrix, matrix).numpy()
    return 2 * size**3 / (time.perf_counter() - start)


def graph_multiply_adds(model, shapes):
    """Of all convolutions and matrix products of a model's graph, on one clip.

    Args:
        model: one of `models.registry.ARCHITECTURES`.
        shapes: frames, height and width by stream.

    What is in the body of a loop counts once.
    """
    import tensorflow as tf

    channels = {"rgb": 3, "flow": 2}
    specs = {
        stream: tf.TensorSpec((1, *shape, channels[stream]), tf.float32)
        for stream, shape in shapes.items()
    }
    clip = specs if isinstance(model.input, dict) else next(iter(specs.values()))
    graph = tf.function(model, jit_compile=False).get_concrete_function(clip).graph
    total = 0
    for one in (graph, *graph._functions.values()):
        operations = getattr(one, "graph", one).get_operations()
        for operation in operations:
            if operation.type in ("Conv2D", "Conv3D"):
                places = np.prod(operation.outputs[0].shape[:-1])
                total += int(places * np.prod(operation.inputs[1].shape))
            elif operation.type == "MatMul":
                rows = operation.outputs[0].shape[0] or 1
                total += int(rows * np.prod(operation.inputs[1].shape))
    return total
