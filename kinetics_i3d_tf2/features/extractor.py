"""Extractors: what a model computes of batches of clips, or of a long one."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..data.tf_data import views
from ..inference import graph
from ..inference.scores import activation_of
from ..inference.streaming.pieces import HEADS, LAST
from ..models.architecture import ENDPOINTS
from ..models.i3d import InceptionI3d
from ..streams import CHANNELS
from .whole_videos import WholeVideos

ENDPOINT = "Mixed_5c"
POOLS = {"both": (1, 2, 3), "space": (2, 3), "time": (1,), "none": ()}


class Extractor:
    """A function from batches of clips to their features, as `make_extractor` makes it.

    Args:
        models: folded models by stream, whose output is a dict with the endpoint, and
            whose logits are dense.
        endpoint: one of `InceptionI3d.VALID_ENDPOINTS`.
        axes: those of a clip `(batch, t, h, w, channels)` that are averaged.
        activation: what `Predictions` are of `Logits`.
    """

    def __init__(
        self, models, endpoint: str, axes: tuple[int, ...], activation: str = "softmax"
    ):
        self._run = {
            name: _freeze(model, endpoint, axes, activation)
            for name, model in models.items()
        }
        # A whole video of any length; built when there is a long one.
        self._make_whole = functools.cache(
            lambda: WholeVideos(models, endpoint, axes, activation)
        )

    def __call__(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Extracts the features of a batch.

        Args:
            batch: clips by stream, `(batch, frames, height, width, channels)`, uint8 or
                float32 in [-1, 1].

        Returns:
            float32 `(batch, ..., channels)`. The channels of both streams follow each
            other, RGB first: 2048 of the last Inception block.

        Raises:
            MemoryError: the batch is too large.
        """
        streams = {name: tf.convert_to_tensor(clips) for name, clips in batch.items()}
        try:
            clips = views.normalize(streams)
            outputs = [self._run[n](clips[n]) for n in CHANNELS if n in self._run]
        except tf.errors.ResourceExhaustedError as error:
            shapes = ", ".join(str(tuple(clip.shape)) for clip in streams.values())
            raise MemoryError(
                f"There is not enough memory for a batch of {shapes}; take a smaller "
                "batch_size, or shorter windows"
            ) from error
        return np.concatenate([output.numpy() for output in outputs], axis=-1)

    def whole(self, read, count: int) -> tuple[np.ndarray, int]:
        """Extracts the features of a whole video; see `WholeVideos.__call__`."""
        return self._make_whole()(read, count)


def make_extractor(
    models: dict[str, InceptionI3d],
    *,
    endpoint: str = ENDPOINT,
    pool: str = "both",
    dtype: str = "float32",
) -> Extractor:
    """Makes a function from batches of clips to their features.

    Args:
        models: `InceptionI3d` by stream: "rgb", "flow" or both. Their weights are
            copied; batch norm is folded into the convolutions.
        endpoint: one of `InceptionI3d.VALID_ENDPOINTS`.
        pool: over what the endpoint is averaged: "space", "time", "both" or "none".
            `Logits` have no space left: without "time" or "both" they are those of
            `InceptionI3d(temporal="dense")`. `Predictions` are of the averaged logits.
        dtype: dtype policy of the trunks, "float32" or "bfloat16".

    Returns:
        The function.

    Raises:
        ValueError: an argument is none of those.
    """
    if not models or not set(models) <= set(CHANNELS):
        raise ValueError(
            f"models are by stream, rgb, flow or both. Received: {', '.join(models)}"
        )
    if endpoint not in ENDPOINTS or pool not in POOLS:
        raise ValueError(
            f"endpoint is one of {', '.join(ENDPOINTS)}, and pool one of "
            f"{', '.join(POOLS)}. Received: {endpoint!r}, {pool!r}"
        )
    is_head = endpoint in HEADS
    # Models mostly end at their logits.
    built = [LAST, "Logits"] if is_head else [endpoint]
    folded = {
        stream: graph.fold_batch_norm(
            model.endpoint_model(built, temporal="dense"), dtype=dtype
        )
        for stream, model in models.items()
    }
    axes = POOLS[pool]
    if is_head:
        axes = tuple(axis for axis in axes if axis == 1)
    return Extractor(folded, endpoint, axes, activation_of(models))


def _freeze(folded, endpoint, axes, activation):
    """One graph of an endpoint, averaged."""
    built = "Logits" if endpoint == "Predictions" else endpoint
    values = ops.cast(folded.output[built], "float32")
    if axes:
        values = ops.mean(values, axis=axes)
    if endpoint == "Predictions":
        values = keras.activations.get(activation)(values)
    return graph.freeze(keras.Model(folded.input, values))
