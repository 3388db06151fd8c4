"""The models of a classifier: one or two streams of the same classes."""

import hashlib
import os
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from ..checkpoints.load import load_model
from ..streams import CHANNELS
from ..utils import files


def open_models(
    sources: Sequence[str | os.PathLike | keras.Model],
) -> dict[str, keras.Model]:
    """Loads the models of a classifier.

    Args:
        sources: one or two, as of `Classifier`.

    Returns:
        `InceptionI3d` by stream, which know the names of their classes.

    Raises:
        OSError: a file is missing or cannot be downloaded.
        ValueError: a file is damaged or of another architecture, the names of the
            classes are unknown, or two models are of one stream or of different
            classes.
    """
    found = {}
    for source in sources:
        is_model = isinstance(source, keras.Model)
        title = source.name if is_model else files.redact(source)
        model = source if is_model else load_model(source, dtype="float32")
        stream = _stream_of(model, title)
        if stream in found:
            raise ValueError(
                f"models must be of different streams. Received two of {stream}: "
                f"{found[stream][0]}, {title}"
            )
        if model.class_names is None:
            raise ValueError(
                f"{title}: the names of its {model.num_classes} classes are unknown; "
                "write a label_map.txt next to the checkpoint, or set model.class_names"
            )
        found[stream] = title, model
    if len({model.class_names for _, model in found.values()}) != 1:
        titles = ", ".join(title for title, _ in found.values()) or "none"
        raise ValueError(
            f"models must be one or two with the same classes. Received: {titles}"
        )
    return {stream: model for stream, (_, model) in found.items()}


def fingerprint_of(models: Mapping[str, keras.Model], settings: str) -> str:
    """Hexadecimal digits that change with the weights of models and with settings."""
    digest = hashlib.sha256(settings.encode())
    for stream, model in models.items():
        digest.update(stream.encode())
        for variable in model.weights:
            digest.update(variable.path.encode())
            digest.update(np.ascontiguousarray(variable.numpy()))
    return digest.hexdigest()


def _stream_of(model, title):
    for stream, count in CHANNELS.items():
        if count == getattr(model, "num_channels", None):
            return stream
    raise ValueError(
        f"{title}: is a {type(model).__name__}, not InceptionI3d; use i3d evaluate for "
        "the paper's other architectures"
    )
