"""Inception-V1 with the recipe's weights, and its checkpoints as TF-slim's."""

import numpy as np
import recipe
import tensorflow as tf

from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name
from kinetics_i3d_tf2.models.inception_v1 import InceptionV1

WIDTH = 1 / 8
SIZE = 64


def images_network(channels=3, width=WIDTH, name="trunk"):
    """Inception-V1 with the recipe's weights."""
    trunk = InceptionV1(width, name=name)
    trunk.build((None, 1, SIZE, SIZE, channels))
    for variable in trunk.weights:
        kind = sonnet_name(variable).removeprefix(f"{name}/")
        value = recipe.weight(kind.replace("2d", "3d"), tuple(variable.shape))
        variable.assign(value)
    return trunk


def weights_of(trunk):
    scope = f"{trunk.name}/"
    return {sonnet_name(v).removeprefix(scope): v.numpy() for v in trunk.weights}


def slim_names(weights, classes=4):
    """The same weights as TF-slim names them, with ImageNet's classifier."""
    named = {}
    for name, value in weights.items():
        name = name.replace("conv_2d/w", "weights").replace("batch_norm", "BatchNorm")
        named[f"InceptionV1/{name}"] = value
    filters = weights["Mixed_5c/Branch_0/Conv2d_0a_1x1/conv_2d/w"].shape[2]
    logits = "InceptionV1/Logits/Conv2d_0c_1x1"
    named[f"{logits}/weights"] = np.zeros((1, 1, filters, classes), np.float32)
    named[f"{logits}/biases"] = np.zeros(classes, np.float32)
    named["global_step"] = np.int64(7)
    return named


def write_slim(path, named, version="V2"):
    """Writes TensorFlow's own file, as TF-slim's Saver did."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [v1.get_variable(n, initializer=x) for n, x in named.items()]
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(
            variables, write_version=getattr(v1.train.SaverDef, version)
        )
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
    return path
