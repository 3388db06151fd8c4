"""TensorFlow 1's momentum rule, as the release was trained with."""

import keras
from keras import ops

from ..arguments import suggest_arguments
from ..utils import private_api


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class Momentum(keras.optimizers.Optimizer):
    """Gradient descent with TensorFlow 1's momentum.

    The accumulator sums gradients, and the *current* rate multiplies their sum:
    `accumulator = momentum * accumulator + gradient`, `w -= rate * accumulator`.
    `keras.optimizers.SGD` keeps the rate inside its velocity, so the old rate still
    has an effect for some steps after each change.

    Args:
        learning_rate: number or Keras schedule.
        momentum: share of the accumulator that a step keeps, in [0, 1).
        name: name of the optimizer.
        **kwargs: as for every Keras optimizer (`clipnorm`, ...).

    Raises:
        ValueError: `momentum` is out of range.

    Source: `tf.train.MomentumOptimizer`; README of the release, 'Training'.
    """

    def __init__(self, learning_rate=0.1, momentum=0.9, name="Momentum", **kwargs):
        if isinstance(learning_rate, int):
            learning_rate = float(learning_rate)  # Keras rejects integers.
        super().__init__(learning_rate, name=name, **kwargs)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1). Received: {momentum!r}")
        self.momentum = momentum

    def build(self, variables):
        """Creates an accumulator per variable, once."""
        if self.built:
            return
        super().build(variables)
        self._accumulators = [
            self.add_variable_from_reference(variable, "Momentum")
            for variable in variables
        ]

    def slots(self) -> list[tuple]:
        """Pairs of a trained variable and its accumulator."""
        trained = private_api.trained_variables(self)
        return list(zip(trained, self._accumulators, strict=True))

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable."""
        accumulator = self._accumulators[private_api.variable_index(self, variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(accumulator, accumulator * self.momentum + gradient)
        self.assign_sub(variable, rate * accumulator)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "momentum": self.momentum}
