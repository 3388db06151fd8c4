"""BatchNormLstm: an LSTM with batch norm at every time step."""

import keras
from keras import ops

from ..arguments import suggest_arguments
from .inception import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM

# Of the first weights; source: sections 4 and 5 of arXiv 1603.09025. Larger gammas
# saturate tanh, and gradients vanish.
_GAMMA = 0.1
# Added to the forget gate, as TensorFlow 1's and Sonnet's LSTMs do.
_FORGET_BIAS = 1.0


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class StepwiseBatchNorm(keras.layers.Layer):
    """Batch norm with separate statistics for each time step of a recurrent layer.

    Args:
        max_steps: time steps with statistics; later ones use the moving averages of the
            last of them, in training too.
        center: add a beta.
        momentum: share of the moving averages that a training step keeps.
        epsilon: added to variances.

    Call arguments:
        inputs: `(batch, features)`, of one time step.
        step: number of the time step, a scalar tensor.
        training: use the batch's statistics; not when `trainable` is False.

    Returns:
        `(outputs, mean, variance)`: `(batch, features)` and the statistics that were
        used, `(features,)` each, for `update`.

    Source: "Recurrent Batch Normalization" (Cooijmans et al., arXiv 1603.09025).
    """

    def __init__(
        self,
        max_steps=25,
        *,
        center=True,
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=BATCH_NORM_EPSILON,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_steps = max_steps
        self.center = center
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        features = input_shape[-1]

        def add(name, shape, initializer, trainable):
            # As in Keras's batch norm, float32 under half-precision policies.
            return self.add_weight(
                name=name,
                shape=shape,
                initializer=initializer,
                trainable=trainable,
                autocast=False,
            )

        gamma = keras.initializers.Constant(_GAMMA)
        self.gamma = add("gamma", (features,), gamma, True)
        if self.center:
            self.beta = add("beta", (features,), "zeros", True)
        per_step = (self.max_steps, features)
        self.moving_mean = add("moving_mean", per_step, "zeros", False)
        self.moving_variance = add("moving_variance", per_step, "ones", False)

    def call(self, inputs, step, training=None):
        values = ops.cast(inputs, self.variable_dtype)
        kept = ops.minimum(step, self.max_steps - 1)
        mean = ops.take(self.moving_mean, kept, axis=0)
        variance = ops.take(self.moving_variance, kept, axis=0)
        if training and self.trainable:
            has_statistics = step < self.max_steps
            batch_mean, batch_variance = ops.moments(values, axes=0)
            mean = ops.where(has_statistics, batch_mean, mean)
            variance = ops.where(has_statistics, batch_variance, variance)
        outputs = (values - mean) * (ops.rsqrt(variance + self.epsilon) * self.gamma)
        if self.center:
            outputs = outputs + self.beta
        return ops.cast(outputs, self.compute_dtype), mean, variance

    def update(self, means, variances) -> None:
        """Moves the averages of the time steps that a training step has seen.

        Args:
            means: `(steps, features)`, of each call in order.
            variances: the same.
        """
        if not self.trainable:
            return
        steps = ops.shape(means)[0]
        index = ops.arange(self.max_steps)
        # Rows beyond the last step are arbitrary: they are not used.
        row = ops.minimum(index, steps - 1)
        seen = ops.expand_dims(index < steps, -1)
        pairs = ((self.moving_mean, means), (self.moving_variance, variances))
        for variable, batches in pairs:
            old, new = ops.convert_to_tensor(variable), ops.take(batches, row, axis=0)
            moved = old * self.momentum + new * (1 - self.momentum)
            variable.assign(ops.where(seen, moved, old))

    def get_config(self):
        return {
            **super().get_config(),
            "max_steps": self.max_steps,
            "center": self.center,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class BatchNormLstm(keras.layers.Layer):
    """LSTM with batch norm of the input, the recurrent input and the cell.

    `i, f, g, o = BN(x_t W_x) + BN(h_{t-1} W_h) + b`,
    `c_t = sigmoid(f + 1) c_{t-1} + sigmoid(i) tanh(g)`,
    `h_t = sigmoid(o) tanh(BN(c_t))`, from zeros.

    Args:
        units: size of the state.
        max_steps: as in `StepwiseBatchNorm`: the length of training clips.
        kernel_initializer: initializer of both kernels.

    Input shape: `(batch, steps, features)`; steps are free.
    Output shape: `(batch, steps, units)`, the output at every time step.

    Source: "Recurrent Batch Normalization" (Cooijmans et al., arXiv 1603.09025),
    equations 6 to 8.
    """

    def __init__(
        self, units, *, max_steps=25, kernel_initializer="glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        self.units = units
        self.max_steps = max_steps
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        def norm(name, center=False):
            return StepwiseBatchNorm(
                max_steps, center=center, dtype=self.dtype_policy, name=name
            )

        # Betas of the first two would only add to the bias.
        self.input_norm = norm("input_norm")
        self.recurrent_norm = norm("recurrent_norm")
        self.cell_norm = norm("cell_norm", center=True)
        self._norms = [self.input_norm, self.recurrent_norm, self.cell_norm]

    def build(self, input_shape):
        initializer = keras.initializers.serialize(self.kernel_initializer)

        def kernel(name, rows):
            # An initializer that is used again draws the same.
            fresh = keras.initializers.deserialize(initializer)
            shape = (rows, 4 * self.units)
            return self.add_weight(name=name, shape=shape, initializer=fresh)

        self.input_kernel = kernel("input_kernel", input_shape[-1])
        self.recurrent_kernel = kernel("recurrent_kernel", self.units)
        self.bias = self.add_weight(
            name="bias", shape=(4 * self.units,), initializer="zeros"
        )
        self.input_norm.build((None, 4 * self.units))
        self.recurrent_norm.build((None, 4 * self.units))
        self.cell_norm.build((None, self.units))

    def call(self, inputs, training=None):
        projected = ops.matmul(ops.transpose(inputs, (1, 0, 2)), self.input_kernel)
        state = ops.zeros((ops.shape(inputs)[0], self.units), dtype=self.compute_dtype)
        # Keras's scan gives back just what it carries, so the statistics are carried;
        # beside a second sequence, such as the steps', it fails on unknown lengths.
        statistics = [
            ops.zeros((features,), dtype=self.variable_dtype)
            for features in (4 * self.units, 4 * self.units, self.units)
            for _ in ("mean", "variance")
        ]

        def advance(carry, projected):
            step, hidden, cell = carry[:3]
            carry = (step + 1, *self._advance(step, hidden, cell, projected, training))
            return carry, carry

        first = ops.zeros((), dtype="int32")
        _, (_, outputs, _, *statistics) = ops.scan(
            advance, (first, state, state, *statistics), projected
        )
        if training:
            for norm, *pair in zip(
                self._norms, statistics[::2], statistics[1::2], strict=True
            ):
                norm.update(*pair)
        return ops.transpose(outputs, (1, 0, 2))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "max_steps": self.max_steps,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _advance(self, step, hidden, cell, projected, training):
        """One time step: output, cell, and the mean and variance of each norm."""
        came_in, *of_inputs = self.input_norm(projected, step, training=training)
        returned, *of_hidden = self.recurrent_norm(
            ops.matmul(hidden, self.recurrent_kernel), step, training=training
        )
        gates = ops.split(came_in + returned + self.bias, 4, axis=-1)
        written, kept, value, shown = gates
        cell = ops.sigmoid(kept + _FORGET_BIAS) * cell + ops.sigmoid(
            written
        ) * ops.tanh(value)
        normalized, *of_cell = self.cell_norm(cell, step, training=training)
        hidden = ops.sigmoid(shown) * ops.tanh(normalized)
        return (hidden, cell, *of_inputs, *of_hidden, *of_cell)
