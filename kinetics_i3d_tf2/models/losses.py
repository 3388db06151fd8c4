"""Loss and accuracy of models that may output logits at every time step.

A recurrent model is trained on all steps and judged by its last one, when it has seen
the whole clip; for other models these are the usual cross-entropy and accuracy.
"""

import keras
from keras import ops

from ..arguments import suggest_arguments


def last_step(logits):
    """Logits that a clip is judged by.

    Args:
        logits: float `(batch, num_classes)`, or of all steps `(batch, steps,
            num_classes)`.

    Returns:
        `(batch, num_classes)`.
    """
    return logits[:, -1] if len(logits.shape) == 3 else logits


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class Crossentropy(keras.losses.Loss):
    """Cross-entropy of integer labels, mean over the time steps where there are any.

    Args:
        label_smoothing: share of the target that is spread evenly over all classes, in
            [0, 1).
        class_weights: factor of the loss of a clip, by the index of its class; None is
            1 for all.
        **kwargs: as for `keras.losses.Loss`.

    Call arguments:
        y_true: int `(batch,)`.
        y_pred: logits, `(batch, num_classes)` or `(batch, steps, num_classes)`.

    Source: paper, section 2.1.
    """

    def __init__(self, *, label_smoothing=0.0, class_weights=None, **kwargs):
        super().__init__(**kwargs)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights and tuple(class_weights)

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 2:
            losses = self._losses(y_true, y_pred)
        else:
            labels = ops.broadcast_to(y_true[:, None], ops.shape(y_pred)[:2])
            losses = ops.mean(self._losses(labels, y_pred), axis=1)
        if self.class_weights is None:
            return losses
        weights = ops.convert_to_tensor(self.class_weights, losses.dtype)
        return losses * ops.take(weights, ops.cast(y_true, "int32"))

    def get_config(self):
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
        }

    def _losses(self, labels, logits):
        losses = _crossentropy(labels, logits)
        if not self.label_smoothing:
            return losses
        even = -ops.mean(ops.log_softmax(logits), axis=-1)
        return losses + self.label_smoothing * (even - losses)


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class Top1(keras.metrics.MeanMetricWrapper):
    """Share of clips whose last step's best class is the label.

    Call arguments: as `Crossentropy`'s.
    """

    def __init__(self, name="top1", dtype=None):
        super().__init__(_is_best, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _crossentropy(labels, logits):
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _is_best(labels, logits):
    return keras.metrics.sparse_categorical_accuracy(labels, last_step(logits))
