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

    Call arguments:
        y_true: int `(batch,)`.
        y_pred: logits, `(batch, num_classes)` or `(batch, steps, num_classes)`.

    Source: paper, section 2.1.
    """

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 2:
            return _crossentropy(y_true, y_pred)
        labels = ops.broadcast_to(y_true[:, None], ops.shape(y_pred)[:2])
        return ops.mean(_crossentropy(labels, y_pred), axis=1)


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
