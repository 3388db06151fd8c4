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


def mean_average_precision(precision: np.ndarray) -> float:
    """Mean over the classes that are present somewhere.

    Args:
        precision: as `average_precision` returns it.

    Returns:
        The mean, in [0, 1]; NaN if no class is present.
    """
    there = precision[np.isfinite(precision)]
    return float(there.mean()) if len(there) else float("nan")


def precision_recall(
    scores: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision of one class at each threshold, from the highest on.

    Args:
        scores: float `(examples,)`; equal ones are one threshold.
        targets: bool or 0 and 1 `(examples,)`, at least one of them 1.

    Returns:
        Recall, which rises to 1, and precision, float64 `(thresholds,)` in [0, 1].
    """
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(targets[order], dtype=np.float64)
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    return hits[last] / hits[-1], hits[last] / (last + 1)


def _of_class(scores, targets):
    if not targets.any():
        return np.nan
    recall, precision = precision_recall(scores, targets)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
