"""Written models beside Keras's: clips of noise, and what Keras makes of them."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from ..models.joint import two_stream_logits
from ..streams import CHANNELS
from ..video.transforms import CROP_SIZE


def inputs_of(models: Mapping[str, keras.Model]) -> dict[str, keras.KerasTensor]:
    """Inputs of models, by stream.

    Args:
        models: by stream, "joint" for one of both.
    """
    streams = {count: stream for stream, count in CHANNELS.items()}
    inputs = {}
    for model in models.values():
        given = model.input
        if not isinstance(given, dict):
            given = {streams[given.shape[-1]]: given}
        inputs |= given
    return inputs


def random_clips(
    models: Mapping[str, keras.Model], num_frames: int
) -> dict[str, np.ndarray]:
    """A clip of uniform noise for each input of some models.

    Args:
        models: by stream.
        num_frames: frames where models take any number; where they stack flow, of
            pictures.

    Returns:
        float32 `(1, frames, height, width, channels)` in [-1, 1], by stream.
    """
    rng = np.random.default_rng(0)
    snippet = max(getattr(model, "snippet", 1) for model in models.values())
    clips = {}
    for stream, value in inputs_of(models).items():
        free = num_frames * (snippet if stream == "flow" else 1)
        _, frames, height, width, channels = value.shape
        shape = (1, frames or free, height or CROP_SIZE, width or CROP_SIZE, channels)
        clips[stream] = rng.uniform(-1, 1, shape).astype(np.float32)
    return clips


def logits_of(
    models: Mapping[str, keras.Model], clips: dict[str, np.ndarray]
) -> np.ndarray:
    """Keras's logits of clips; those of several models are summed.

    Args:
        models: by stream.
        clips: by stream.

    Returns:
        `(batch, num_classes)`.

    Raises:
        ValueError: the clips are not as a model takes them, or two models are of
            different classes.
    """
    logits = [
        model(clips if stream == "joint" else clips[stream], training=False)
        for stream, model in models.items()
    ]
    joint = two_stream_logits(*logits) if len(logits) == 2 else logits[0]
    return ops.convert_to_numpy(joint)
