"""`fit` for any model under every strategy of tf.distribute, with accumulation."""

import keras
import tensorflow as tf

from ..arguments import suggest_arguments
from ..utils import private_api


@suggest_arguments
class Trainer(keras.Model):
    """Wraps a built model, so that `compile` and `fit` train it.

    Create and compile it in the scope of a strategy to train under that strategy:
    `MirroredStrategy`, `MultiWorkerMirroredStrategy` (where Keras 3's own `fit` fails)
    or none. `fit` takes a dataset of `strategy.distribute_datasets_from_function`.

    Args:
        model: the model; its weights are trained in place.
        gradient_accumulation_steps: number of equal microbatches a replica's batch is
            split into, for batches that do not fit into memory. Their gradients are
            computed one after another and averaged before the weights change once.
            Batch norm sees microbatches. Batch sizes must be multiples of it.

    Raises:
        ValueError: `gradient_accumulation_steps` is less than 1.

    Examples:
        >>> trainer = Trainer(model, gradient_accumulation_steps=2)
        >>> trainer.compile(Momentum(0.01), Crossentropy(), metrics=[Top1()])
        >>> trainer.fit(dataset, steps_per_epoch=100)
    """

    def __init__(self, model: keras.Model, *, gradient_accumulation_steps: int = 1):
        super().__init__(name=f"{model.name}_trainer")
        if gradient_accumulation_steps < 1:
            raise ValueError(
                "gradient_accumulation_steps must be at least 1. Received: "
                f"{gradient_accumulation_steps}"
            )
        self.model = model
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = True
        private_api.skip_symbolic_build(self)

    def compile(self, *args, steps_per_execution=1, **kwargs):
        """Configures training, as `keras.Model.compile`.

        Args:
            *args: as of Keras.
            steps_per_execution: 1; the trainer runs one step at a time.
            **kwargs: as of Keras.

        Raises:
            ValueError: more steps per execution.
        """
        if steps_per_execution != 1:
            raise ValueError(
                "Trainer runs one step per execution; omit steps_per_execution. "
                f"Received: {steps_per_execution}"
            )
        super().compile(*args, **kwargs)

    def save(self, filepath, **kwargs):
        """Saves the model that is trained, without the trainer around it.

        So `keras.callbacks.ModelCheckpoint` writes what `load_model` reads.

        Args:
            filepath: a `.keras` file.
            **kwargs: as of `keras.Model.save`.
        """
        self.model.save(filepath, **kwargs)

    def call(self, clip, training=None):
        return self.model(clip, training=training)

    def train_step(self, data):
        """One step of one replica."""
        count = self.gradient_accumulation_steps
        if count == 1:
            return super().train_step(data)
        if len(data) != 2:
            raise ValueError(
                "Trainer with gradient_accumulation_steps takes no class_weight or "
                "sample_weight; omit them, or set gradient_accumulation_steps=1"
            )
        columns = [tf.split(x, count) for x in tf.nest.flatten(data)]
        sums = [0.0] * len(self.trainable_weights)
        for row in zip(*columns, strict=True):
            microbatch = tf.nest.pack_sequence_as(data, row)
            # One after another, or all would be in memory at once.
            with tf.control_dependencies([x for x in sums if tf.is_tensor(x)]):
                microbatch = tf.nest.map_structure(tf.identity, microbatch)
            gradients, logs = self._gradients(*microbatch)
            sums = [a + b / count for a, b in zip(sums, gradients, strict=True)]
        self.optimizer.apply_gradients(zip(sums, self.trainable_weights, strict=True))
        return logs

    def _gradients(self, clip, label):
        with tf.GradientTape() as tape:
            outputs = self(clip, training=True)
            loss = self.compute_loss(clip, label, outputs, training=True)
            scaled = self.optimizer.scale_loss(loss)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        mean_loss = private_api.loss_metric(self)
        mean_loss.update_state(loss * replicas, tf.shape(label)[0])
        logs = self.compute_metrics(clip, label, outputs)
        return tape.gradient(scaled, self.trainable_weights), logs

    def make_train_function(self, force=False):
        """Makes the function that `fit` calls per step; logs are means over replicas.

        With several workers, Keras's own averages scalars along an axis, which fails
        (keras issue 20585). `Strategy.reduce` without an axis works everywhere.
        """
        if self.train_function is not None and not force:
            return
        strategy = self.distribute_strategy
        if not self.optimizer.built:  # Or TensorFlow traces the step twice.
            with strategy.scope():
                self.optimizer.build(self.trainable_variables)

        @tf.autograph.experimental.do_not_convert
        def step(data):
            logs = strategy.run(self.train_step, args=(data,))
            return {k: strategy.reduce("MEAN", v, None) for k, v in logs.items()}

        if not self.run_eagerly:
            step = tf.function(step, jit_compile=self.jit_compile)

        self.train_function = lambda iterator: step(next(iter(iterator)))

    def seed(self, seed: int, step: int) -> None:
        """Makes dropout depend only on seed, step and replica.

        Keras gives all replicas the same masks, and its state would have to be saved.

        Args:
            seed: seed of the run.
            step: number of steps done.
        """
        states = [
            variable
            for variable in self.model.variables
            if variable.path.endswith("seed_generator_state")
        ]

        draws = step * self.gradient_accumulation_steps

        def assign():
            context = tf.distribute.get_replica_context()
            replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
            for number, state in enumerate(states):
                key = seed + 1_000_003 * number + 7919 * (replica + 1)
                value = tf.stack([key, tf.constant(draws, tf.int64)])
                state.assign(tf.cast(value % 2**32, state.dtype))

        tf.function(lambda: self.distribute_strategy.run(assign))()

    def average_moving_statistics(self) -> None:
        """Averages the moving averages of batch norm over all replicas.

        In Keras, each replica has those of its own batches.
        """
        variables = [
            variable
            for variable in self.model.non_trainable_weights
            if variable.path.endswith(("moving_mean", "moving_variance"))
        ]
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync == 1:
            return

        def assign(means):
            sizes = [variable.shape.num_elements() for variable in variables]
            for variable, mean in zip(variables, tf.split(means, sizes), strict=True):
                variable.assign(tf.reshape(mean, variable.shape))

        @tf.function
        def average():
            # Concatenated, to send one message between machines.
            values = strategy.run(
                lambda: tf.concat([tf.reshape(v, [-1]) for v in variables], 0)
            )
            strategy.run(assign, args=(strategy.reduce("MEAN", values, None),))

        average()
