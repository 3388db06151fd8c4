"""Faster inference: batch norm folded into convolutions, constants frozen."""

import keras
import numpy as np

from ..arguments import suggest_arguments
from ..models.checks import check_floats
from ..models.head_policy import HeadPolicy
from ..models.inception import BATCH_NORM_EPSILON


@suggest_arguments
def fold_batch_norm(model, *, dtype=None):
    """Rebuilds a model for inference with its batch norms folded into convolutions.

    Args:
        model: an `InceptionI3d`, one of `baselines`, or a model of its endpoints.
        dtype: dtype policy of the new trunk, for example "bfloat16"; by default the
            model's own. Layers whose policy is a `HeadPolicy`, such as `Logits`, stay
            as they are.

    Returns:
        `keras.Model` with the same inputs, outputs and layer names and its own copy of
        the weights; each convolution has a bias. It is not for training: `training`
        no longer changes the normalisation.

    Examples:
        >>> fast = fold_batch_norm(model, dtype="bfloat16")
        >>> logits = fast(clip)
    """

    def clone(layer):
        if not isinstance(layer, keras.Layer):
            # Keras 3.9 casts by operations, too, what layers cast by themselves.
            is_cast = type(layer).__name__ == "Cast"
            return (lambda tensor: tensor) if is_cast else layer
        config = layer.get_config()
        if "use_batch_norm" in config:
            config["use_batch_norm"] = False
        policy = layer.dtype_policy
        is_input = isinstance(layer, keras.layers.InputLayer)
        if dtype is not None and not is_input and not isinstance(policy, HeadPolicy):
            policy = dtype
        # As an object; Keras reads the class of a policy as DTypePolicy.
        config["dtype"] = policy
        return type(layer).from_config(config)

    graph = keras.Model(model.input, model.output, name=model.name)
    folded = keras.models.clone_model(graph, clone_function=clone)
    values = {variable.path: variable.numpy() for variable in model.weights}
    for variable in folded.weights:
        variable.assign(_folded_value(variable.path, values))
    return folded


@suggest_arguments
def freeze(model):
    """Compiles a model into one TensorFlow graph with its weights as constants.

    Constants let oneDNN keep the weights in the layout that its kernels want. XLA is
    not used: it is slower on CPU.

    Args:
        model: a Keras model of one input or of a dict of them, on the TensorFlow
            backend. Later changes of its weights are not seen.

    Returns:
        Function from a batch of clips (array or tensor, or a dict of them) to the
        model's output.

    Raises:
        ValueError: Keras runs on another backend; when called, on a clip of integers,
            of another rank or number of channels, or a dict of other names.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "freeze needs the TensorFlow backend; on others call the model itself. "
            f"KERAS_BACKEND is {keras.backend.backend()!r}"
        )
    import tensorflow as tf

    signature = keras.tree.map_structure(
        lambda clip: tf.TensorSpec(clip.shape, clip.dtype, clip.name), model.input
    )
    weights = [(variable, variable.numpy()) for variable in model.variables]

    @tf.function(autograph=False, jit_compile=False)
    def function(clip):
        with keras.StatelessScope(weights):
            return model(clip, training=False)

    frozen = function.get_concrete_function(signature)
    return lambda clip: frozen(_converted(clip, signature))


def _converted(clip, signature):
    """Clips as the tensors of a signature, which is one or a dict of them."""
    import tensorflow as tf

    if isinstance(signature, dict):
        if not isinstance(clip, dict) or clip.keys() != signature.keys():
            raise ValueError(
                f"This model takes a dict of the clips {', '.join(signature)}. "
                f"Received: {list(clip) if isinstance(clip, dict) else type(clip)}"
            )
        return {name: _converted(clip[name], signature[name]) for name in signature}
    check_floats(clip)
    clip = tf.convert_to_tensor(clip, signature.dtype)
    if not signature.is_compatible_with(clip):
        raise ValueError(
            f"This model takes clips of shape {signature.shape}. Received: {clip.shape}"
        )
    return clip


def _folded_value(path, values):
    """Weight of a folded model at `path`, out of the weights before folding."""
    convolution, _, name = path.rpartition("/")
    unit = convolution.rpartition("/")[0]
    if f"{unit}/batch_norm/beta" not in values:  # Classifiers have their own bias.
        return values[path]
    kernel = values[f"{convolution}/kernel"]
    variance = values[f"{unit}/batch_norm/moving_variance"].astype(np.float64)
    scale = 1 / np.sqrt(variance + BATCH_NORM_EPSILON)
    if name == "kernel":
        return kernel * scale
    mean = values[f"{unit}/batch_norm/moving_mean"]
    return values[f"{unit}/batch_norm/beta"] - mean * scale
