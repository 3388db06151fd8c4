"""Where and when a model finds a class: its logits before they are averaged.

I3D's classifier is a 1x1x1 convolution after an average pool, so both change places:
each place of the last block has logits of its own, and the logits of the clip are their
weighted mean, exactly.
"""

import numpy as np
from keras import ops

from .architecture import HEAD_WINDOW

ENDPOINT = "Mixed_5c"


def maps(model, features) -> np.ndarray:
    """Logits at each place of the last block: class activation maps.

    Args:
        model: an `InceptionI3d` with `Logits`.
        features: its `Mixed_5c` of some clips, `(batch, t, h, w, channels)`.

    Returns:
        float32 `(batch, t, h, w, num_classes)`. Their mean by the weights of
        `coverage` is the clip's logits.

    Source: 'Learning Deep Features for Discriminative Localization' (arXiv 1512.04150).
    """
    head = model.get_layer("Logits")
    return ops.convert_to_numpy(head.classifier(ops.cast(features, "float32")))


def over_time(model, features) -> np.ndarray:
    """Dense logits, of the windows in time that the clip's logits are the mean of.

    Args:
        model: as of `maps`.
        features: as of `maps`.

    Returns:
        float32 `(batch, t - 1, num_classes)`: window i is of the places i and i + 1.
    """
    head = model.get_layer("Logits").with_temporal("dense")
    logits = ops.convert_to_numpy(head(ops.cast(features, "float32")))
    return logits if head.spatial_squeeze else logits.mean((2, 3))


def coverage(shape: tuple[int, int, int]) -> np.ndarray:
    """How much each place counts: in how many windows of the pool it is.

    Args:
        shape: (t, h, w) of the features.

    Returns:
        float64 `(t, h, w)`, whose sum is 1.
    """
    weights = np.ones(())
    for size, window in zip(shape, HEAD_WINDOW, strict=True):
        counts = np.convolve(np.ones(size - window + 1), np.ones(window))
        weights = np.multiply.outer(weights, counts)
    return weights / weights.sum()
