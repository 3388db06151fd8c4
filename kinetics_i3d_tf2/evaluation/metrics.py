"""Accuracies and the confusion matrix, from ranks and class indices alone."""

import numpy as np


def rank(scores, label: int) -> int:
    """Place of a class among all, best first.

    Args:
        scores: `(num_classes,)`, logits or probabilities.
        label: index of the class.

    Returns:
        1 when it is scored best; of equal scores the class of the lower index comes
        first, as in `labels.top_k`.
    """
    scores = np.asarray(scores)
    better = np.count_nonzero(scores > scores[label])
    return 1 + better + np.count_nonzero(scores[:label] == scores[label])


def top_k_accuracy(ranks, k: int) -> float:
    """Share of clips whose class is among the best k.

    Args:
        ranks: int `(clips,)` of `rank`.
        k: how many classes count.

    Returns:
        0 to 1; NaN without clips.
    """
    ranks = np.asarray(ranks, int)
    return float(np.mean(ranks <= k)) if len(ranks) else float("nan")


def per_class_accuracy(true, ranks, num_classes: int, k: int = 1) -> np.ndarray:
    """Top-k accuracy of the clips of each class.

    Args:
        true: int `(clips,)`, label indices.
        ranks: int `(clips,)` of `rank`.
        num_classes: how many classes there are.
        k: how many classes count.

    Returns:
        float64 `(num_classes,)`, 0 to 1; NaN for a class without clips.
    """
    true = np.asarray(true, int)
    right = np.bincount(true[np.asarray(ranks, int) <= k], minlength=num_classes)
    clips = np.bincount(true, minlength=num_classes)
    return np.divide(right, clips, out=np.full(num_classes, np.nan), where=clips > 0)


def confusion_matrix(true, predicted, num_classes: int) -> np.ndarray:
    """Counts clips by true and by predicted class.

    Args:
        true: int `(clips,)`, label indices.
        predicted: int `(clips,)`, indices of the classes scored best.
        num_classes: how many classes there are.

    Returns:
        int64 `(num_classes, num_classes)`; rows are true classes, columns predicted.
    """
    cells = np.asarray(true, int) * num_classes + np.asarray(predicted, int)
    counts = np.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)
