"""What models say about a clip: logits, probabilities, the best classes."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from ..data.labels import top_k


@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores of one clip.

    Attributes:
        logits: float `(num_classes,)`.
        class_names: names of the classes, by index.
        streams: logits of each stream that was run, by its name.
        seconds: the part of the video that was scored, (start, end) in seconds.
        frames: number of its frames that were scored, at 25 a second.
    """

    logits: np.ndarray
    class_names: tuple[str, ...]
    streams: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    seconds: tuple[float, float] | None = None
    frames: int | None = None

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities, `(num_classes,)`, whose sum is 1."""
        return softmax(self.logits)

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


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the last axis, computed without overflow.

    Args:
        logits: float `(..., num_classes)`.

    Returns:
        The same shape and dtype.
    """
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


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
