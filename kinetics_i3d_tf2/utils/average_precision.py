"""Average precision: how well scores rank what is present above what is not."""

import numpy as np


def average_precision(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Average precision of each class: the precision at each recall, averaged.

    Equal scores count as one threshold, as in scikit-learn's
    `average_precision_score`.

    Args:
        scores: float `(examples, classes)`; a higher one means that the class is more
            likely to be present.
        targets: bool or 0 and 1 `(examples, classes)`, whether it is.

    Returns:
        float64 `(classes,)` in [0, 1]; NaN for classes that are nowhere present.
    """
    return np.array(
        [_of_class(*pair) for pair in zip(scores.T, targets.T, strict=True)]
    )


def _of_class(scores, targets):
    if not targets.any():
        return np.nan
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(targets[order], dtype=np.float64)
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    recall = hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * hits[last] / (last + 1)))
