"""SavedModels in version folders, as TensorFlow Serving looks for them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from ..models.architecture import MIN_FRAMES, MIN_SIZE

EXTRA = "assets.extra"  # ignored by TensorFlow, copied with the model
WARMUP = "assets.extra/tf_serving_warmup_requests"


def can_warm_up() -> bool:
    """Whether requests that warm a server up can be written; if not, warns."""
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2  # noqa: F401
    except ImportError as error:
        logging.warning(
            "No requests to warm a server up are written (%s): they need "
            "pip install 'kinetics-i3d-tf2[serving]'",
            error,
        )
        return False
    return True


def next_version(folder: str | os.PathLike) -> Path:
    """The folder that the next version is to be written to.

    Args:
        folder: holds the versions, folders whose names are numbers; a server takes the
            highest, and ignores other names.

    Returns:
        Path of a folder in it that is not there, from 1 on.
    """
    taken = [int(p.name) for p in Path(folder).glob("[0-9]*") if p.name.isdecimal()]
    return Path(folder) / str(max(taken, default=0) + 1)


def write(
    functions: dict[str, Callable],
    path: str | os.PathLike,
    *,
    model_name: str | None = None,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Writes a SavedModel with its metadata and warm-up requests.

    Args:
        functions: traced functions by signature, of `Signatures`.
        path: the folder, created if absent.
        model_name: name that the model will be served under, for the warm-up requests;
            None leaves them out.
        texts: of `metadata.describe`, written to `assets.extra/NAME.json`.

    Raises:
        OSError: it cannot be written.
        ModuleNotFoundError: requests are wanted, and tensorflow-serving-api is absent.
    """
    tf.saved_model.save(tf.Module(), os.fspath(path), signatures=functions)
    extra = Path(path) / EXTRA
    if texts or model_name is not None:
        extra.mkdir()
    for name, text in (texts or {}).items():
        (extra / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    if model_name is not None:
        target = Path(path) / WARMUP
        with tf.io.TFRecordWriter(str(target)) as writer:
            for log in _warmup_requests(model_name):
                writer.write(log.SerializeToString())


def load(path: str | os.PathLike) -> dict[str, Callable]:
    """Signatures of a SavedModel by name; each takes and gives tensors by name.

    Raises:
        OSError: there is none.
    """
    return dict(tf.saved_model.load(os.fspath(path)).signatures.items())


def _warmup_requests(model_name):
    """Prediction logs of a still clip: its optical flow is found at once."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    ramp = np.linspace(0, 255, MIN_SIZE).astype(np.uint8)
    image = np.broadcast_to(ramp[:, None], (MIN_SIZE, MIN_SIZE, 3))
    inputs = {
        "serving_default": ("frames", np.stack([[image] * MIN_FRAMES])),
        "encoded_frames": (
            "image_bytes",
            np.array([[tf.io.encode_jpeg(image).numpy()] * MIN_FRAMES], object),
        ),
    }
    for signature, (name, value) in inputs.items():
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model_name
        request.model_spec.signature_name = signature
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        yield prediction_log_pb2.PredictionLog(
            predict_log=prediction_log_pb2.PredictLog(request=request)
        )
