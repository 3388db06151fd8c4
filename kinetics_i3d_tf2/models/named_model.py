"""What all models share: the names of their classes, and a check of the input."""

from collections.abc import Sequence

import keras

from .checks import check_floats


class NamedModel(keras.Model):
    """Base of models that know the names of their classes, saved with the model.

    Attributes:
        num_classes: number of classes.
        temporal: "mean", one answer for a clip, or "dense", of I3D.
        activation: what makes probabilities of logits, "softmax" or "sigmoid".
    """

    num_classes: int
    temporal: str = "mean"
    activation: str = "softmax"
    _class_names: tuple[str, ...] | None = None

    def __call__(self, inputs, *args, **kwargs):
        """Checks the clips' dtypes, then runs the model on them."""
        check_floats(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def make_train_function(self, force=False):
        """Builds the optimizer, then the function that `fit` calls per step.

        TensorFlow traces a step again that has created variables, for many seconds.

        Args:
            force: as of Keras.
        """
        if self.optimizer and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, by index; None if they are unknown.

        Raises:
            ValueError: when set, there are not `num_classes` different names.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None):
        self._class_names = _checked(names, self.num_classes)


def _checked(names, num_classes):
    if names is None:
        return None
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"class_names must be a sequence of strings. Received: {names!r:.80}"
        )
    if len(names) != num_classes or len(set(names)) != len(names):
        raise ValueError(
            f"class_names must be {num_classes} different names (num_classes). "
            f"Received: {len(names)}, {len(set(names))} of them different"
        )
    return tuple(names)
