"""Models made of parts of another model, with its checks of the input."""

import keras

from .checks import check_floats


@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class EndpointModel(keras.Model):
    """Several outputs of a model at once, with shared weights.

    Args and shapes are those of a functional `keras.Model`.

    Raises:
        ValueError: the clip has integers.
    """

    def __call__(self, inputs, *args, **kwargs):
        """Checks the clip's dtype, then runs the model on it."""
        check_floats(inputs)
        return super().__call__(inputs, *args, **kwargs)
