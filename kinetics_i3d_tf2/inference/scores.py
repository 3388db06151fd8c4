"""What models say about a clip: logits, probabilities, the best classes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import suggest_arguments
from ..data import labels
from ..data.labels import top_k


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores of one clip.

    Attributes:
        logits: float `(num_classes,)`.
        class_names: names of the classes, by index.
        streams: logits of each stream that was run, by its name.
        seconds: the part of the video that was scored, (start, end) in seconds.
        frames: number of its frames that were scored, at 25 a second.
        activation: what makes probabilities of the logits, "softmax" or "sigmoid".
    """

    logits: np.ndarray
    class_names: tuple[str, ...]
    streams: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    seconds: tuple[float, float] | None = None
    frames: int | None = None
    activation: str = "softmax"

    def __repr__(self) -> str:
        """Shows the best classes, and where they were found."""
        if not self.class_names:
            return f"Scores({len(self.logits)} logits)"
        best = ", ".join(f"{name} {value:.4f}" for name, value in self.top(2))
        place = "" if self.seconds is None else "; seconds {:g} to {:g}"
        place = place.format(*self.seconds or ())
        return f"Scores({best}; of {len(self.class_names)} classes{place})"

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities, `(num_classes,)`, whose sum is 1 if they are of a softmax."""
        return probabilities_of(self.logits, self.activation)

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The best classes.

        Args:
            count: how many.

        Returns:
            Pairs of class name and probability, best first.
        """
        probabilities = self.probabilities
        return [
            (self.class_names[index], float(probabilities[index]))
            for index in top_k(self.logits, count)
        ]


@suggest_arguments
def decode_predictions(
    predictions,
    top: int = 5,
    class_names: Sequence[str] | None = None,
    activation: str = "softmax",
) -> list[list[tuple[str, float]]]:
    """Names the best classes of each clip.

    Args:
        predictions: float `(batch, num_classes)`: logits of a model; or probabilities,
            if no value is negative and the sum of each clip is 1, or with "sigmoid" if
            all are in [0, 1].
        top: number of classes.
        class_names: names by index, such as `model.class_names`; by default those of
            Kinetics for 400 and 600 classes.
        activation: what makes probabilities of the logits, "softmax" or "sigmoid",
            such as `model.activation`.

    Returns:
        For each clip a list of (class name, probability), best first.

    Raises:
        ValueError: `predictions` has another shape, `top` is less than 1, or the names
            are unknown or of another number.

    Examples:
        >>> decode_predictions(model.predict(clips), top=1)
        [[('playing cricket', 0.9999)]]
    """
    values = np.asarray(predictions, np.float32)
    if values.ndim != 2:
        raise ValueError(
            "predictions must be (batch, num_classes); add an axis to those of one "
            f"clip with predictions[None]. Received: {values.shape}"
        )
    count = values.shape[1]
    if class_names is None and count not in (400, 600):
        raise ValueError(
            f"class_names of {count} classes are unknown; pass "
            "class_names=model.class_names"
        )
    names = labels.class_names(count) if class_names is None else tuple(class_names)
    if len(names) != count:
        raise ValueError(
            f"class_names must be {count} names, one per class. Received: {len(names)}"
        )
    if activation == "sigmoid":
        is_probability = np.all((values >= 0) & (values <= 1))
    else:
        is_probability = np.all(values >= 0) and np.allclose(
            values.sum(1), 1, atol=1e-3
        )
    if not is_probability:
        scores = [Scores(logits, names, activation=activation) for logits in values]
        return [each.top(top) for each in scores]
    return [[(names[i], float(row[i])) for i in top_k(row, top)] for row in values]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the last axis, computed without overflow.

    Args:
        logits: float `(..., num_classes)`.

    Returns:
        The same shape and dtype.
    """
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def probabilities_of(logits: np.ndarray, activation: str) -> np.ndarray:
    """Probabilities of the last axis.

    Args:
        logits: float `(..., num_classes)`.
        activation: "softmax", for one class of all, or "sigmoid", for each class by
            itself.

    Returns:
        The same shape and dtype.
    """
    if activation == "softmax":
        return softmax(logits)
    return np.exp(-np.logaddexp(0, -logits))  # 1 / (1 + exp(-x)) may overflow.


def joint_logits(streams: Mapping[str, np.ndarray]) -> np.ndarray:
    """Logits of the two-stream model: the sum of the streams', with equal weight.

    Args:
        streams: logits by stream, of the same shape.

    Returns:
        Their sum; of one stream, its own logits.

    Source: `evaluate_sample.py` of the release.
    """
    first, *others = streams.values()
    return sum(others, first)


def activation_of(models: Mapping[str, Any]) -> str:
    """What makes probabilities of the logits of models.

    Args:
        models: by stream; they have the attribute `activation`.

    Returns:
        "softmax" or "sigmoid".

    Raises:
        ValueError: they differ in it.
    """
    found = {stream: model.activation for stream, model in models.items()}
    if len(set(found.values())) > 1:
        raise ValueError(
            "The models of the two streams must have one activation, since their "
            f"logits are summed. Received: {found}"
        )
    return next(iter(found.values()))
