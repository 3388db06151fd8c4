"""Losses of several labels at once: of clips, and of each frame of dense logits."""

from collections.abc import Sequence

import keras
from keras import ops

from ..arguments import suggest_arguments
from .dense import upsample_dense


class _Weighted(keras.losses.Loss):
    """Base of binary cross-entropies whose positive terms have weights."""

    def __init__(self, *, positive_weights: Sequence[float] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.positive_weights = positive_weights and tuple(positive_weights)

    def get_config(self):
        """Arguments of the constructor."""
        return {**super().get_config(), "positive_weights": self.positive_weights}

    def _terms(self, targets, logits):
        """Binary cross-entropy of each target."""
        # -log(sigmoid(x)) is softplus(-x), and -log(1 - sigmoid(x)) softplus(x).
        positive, negative = ops.softplus(-logits), ops.softplus(logits)
        if self.positive_weights is not None:
            positive = positive * ops.convert_to_tensor(
                self.positive_weights, positive.dtype
            )
        return targets * positive + (1 - targets) * negative


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class MultiLabelCrossentropy(_Weighted):
    """Binary cross-entropy of each class, mean over classes and time steps, if any.

    Args:
        positive_weights: factor of the term of a class where it is present, by class
            index; None is 1 for all. PyTorch's `pos_weight`.
        **kwargs: as for `keras.losses.Loss`.

    Call arguments:
        y_true: `(batch, num_classes)` of 0 and 1.
        y_pred: logits, `(batch, num_classes)` or `(batch, steps, num_classes)`.
    """

    def call(self, y_true, y_pred):
        if len(y_true.shape) == 1:
            y_true = y_true[:, None]  # Keras drops the axis of a single class.
        if len(y_pred.shape) == 3:
            y_true = y_true[:, None]
        terms = self._terms(y_true, y_pred)
        return ops.mean(terms, axis=tuple(range(1, len(terms.shape))))


@suggest_arguments
@keras.saving.register_keras_serializable(package="kinetics_i3d_tf2")
class DenseCrossentropy(_Weighted):
    """Half the loss of localisation and half that of classification, of dense logits.

    Both are binary cross-entropies: of each frame, and of the maximum over time against
    that of the targets. Logits are first upsampled to frames by `upsample_dense`.

    Args:
        positive_weights: as for `MultiLabelCrossentropy`, in both terms.
        **kwargs: as for `keras.losses.Loss`.

    Call arguments:
        y_true: `(batch, frames, num_classes)` of 0 and 1, with a fixed number of
            frames.
        y_pred: logits of `InceptionI3d(temporal="dense")`, `(batch, places,
            num_classes)`.

    Source: `train_i3d.py` of github.com/piergiaj/pytorch-i3d, which trains on Charades.
    It stretches the places over the clip; here each has its own frames.
    """

    def call(self, y_true, y_pred):
        logits = upsample_dense(y_pred, y_true.shape[1])
        localisation = ops.mean(self._terms(y_true, logits), axis=(1, 2))
        classification = ops.mean(
            self._terms(ops.max(y_true, axis=1), ops.max(logits, axis=1)), axis=1
        )
        return (localisation + classification) / 2
