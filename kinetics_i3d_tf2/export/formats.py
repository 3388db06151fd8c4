"""Models as files of other runtimes (ONNX, OpenVINO, LiteRT), by Keras's own export."""

import functools
import importlib
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from ..inference.graph import fold_batch_norm
from ..utils import private_api
from ..utils.cores import num_cores
from ..utils.files import atomic_writer, is_address, is_dir
from ..utils.scratch import temporary_folder
from . import verify


class Format(NamedTuple):
    """What one format is written and run with."""

    suffixes: tuple[str, ...]  # of the file that is named, and of those beside it
    keras: tuple[int, int]  # from this version on, its `Model.export` can
    packages: tuple[str, ...]
    run: Callable[[str, dict[str, np.ndarray]], np.ndarray]


def write(
    models: Mapping[str, keras.Model],
    path: str | os.PathLike,
    format: str,
    *,
    num_frames: int = 16,
) -> float:
    """Writes one or both streams as one file, and runs it beside Keras.

    The file takes float32 clips `(batch, frames, height, width, channels)` by the
    names `rgb` and `flow`, preprocessed as for the model, and gives `logits`, of two
    streams their sum. Batch, frames, height and width are free. No file checks its
    clips: below 9 frames or 193 pixels a side ONNX Runtime and OpenVINO fail, and
    LiteRT gives logits that mean nothing.

    OpenVINO's converter sends Intel data about its use, unasked: `opt_in_out
    --opt_out`, which comes with it, or `CI=true` in the environment turns that off.

    Args:
        models: by stream: `InceptionI3d`s of "rgb", "flow" or both that end at
            `Logits`, or one of `baselines`, of both streams as "joint"; in any dtype
            policy. The file computes in float32.
        path: file to write, local or an address: .onnx; .xml, with its weights in a
            .bin of the same name; .tflite.
        format: "onnx", "openvino" or "litert".
        num_frames: frames of the clip that the file is tried with, and its frames have
            224 pixels a side, where the model does not say.

    Returns:
        Largest absolute difference between the file's logits and Keras's, on random
        pixels.

    Raises:
        ValueError: what `check` refuses, streams of other names or of different
            classes, fewer than 9 frames, or logits that are not finite.
        OSError: the file cannot be written; what was there before stays, but a
            .bin that could be written before its .xml could not.

    Examples:
        >>> difference = write({"rgb": model}, "i3d.onnx", "onnx")
    """
    row = check(path, format)
    if set(models) not in ({"rgb"}, {"flow"}, {"rgb", "flow"}, {"joint"}):
        raise ValueError(
            'models are by stream: "rgb", "flow" or both, or "joint" for one of both. '
            f"Received: {', '.join(models) or 'none'}"
        )
    clips = verify.random_clips(models, num_frames)
    expected = verify.logits_of(models, clips)  # It also checks the clips.
    with temporary_folder() as folder:
        written = Path(folder, "model")
        file = os.fspath(written.with_suffix(row.suffixes[0]))
        _export(_graph(models, format), file, format)
        difference = float(np.max(np.abs(row.run(file, clips) - expected)))
        if not np.isfinite(difference):
            raise ValueError(
                "nothing is written: logits are not finite; are all weights finite?"
            )
        with ExitStack() as stack:
            # The file that is named takes its place last.
            for target in files(path, format):
                aside = stack.enter_context(atomic_writer(target))
                suffix = os.path.splitext(target)[1]
                shutil.copyfile(written.with_suffix(suffix), aside)
    return difference


def files(path: str | os.PathLike, format: str) -> list[str]:
    """Files that `write` makes of a path, the one that is named first."""
    suffixes = FORMATS[format].suffixes
    stem = os.fspath(path).removesuffix(suffixes[0])
    return [stem + suffix for suffix in suffixes]


def check(path: str | os.PathLike, format: str) -> Format:
    """Finds out, before a model is loaded, whether `write` could write a file.

    Args:
        path: the file to be written.
        format: as for `write`.

    Returns:
        The format.

    Raises:
        ValueError: an unknown format, another suffix, no such folder, a package that
            is not installed, a Keras that is too old, or one on another backend.
    """
    row = _installed(format)
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"{format} files are written on the TensorFlow backend. KERAS_BACKEND is "
            f"{keras.backend.backend()!r}"
        )
    if tuple(int(part) for part in keras.version().split(".")[:2]) < row.keras:
        raise ValueError(
            f"{format} files need Keras {'.'.join(map(str, row.keras))} or newer: "
            f"pip install 'kinetics-i3d-tf2[{format}]', on Python 3.11 or newer. "
            f"Installed: {keras.version()}"
        )
    path = os.fspath(path)
    if not path.endswith(row.suffixes[0]):
        raise ValueError(
            f"The name of {format} files ends in {row.suffixes[0]}. Received: {path}"
        )
    if is_dir(path):
        raise ValueError(f"{path}: is a folder; name a file")
    folder = os.path.dirname(path) or "."
    # Object stores have no folders before there is a file in them.
    if not is_address(path) and not is_dir(folder):
        raise ValueError(f"{path}: there is no such folder")
    return row


def run(
    path: str | os.PathLike, format: str, clips: dict[str, np.ndarray]
) -> np.ndarray:
    """Logits out of a written file, by its own runtime on CPU.

    Args:
        path: a local file of `write`.
        format: "onnx", "openvino" or "litert".
        clips: float32 (batch, frames, height, width, channels) of each stream, by name.

    Returns:
        float32 (batch, num_classes).

    Raises:
        ValueError: an unknown format, or its package is not installed.
    """
    return _installed(format).run(os.fspath(path), clips)


def _run_onnx(file, clips):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["logits"], clips)[0]


def _run_openvino(file, clips):
    import openvino

    # Where the CPU can, it would compute in bfloat16.
    float32 = {"INFERENCE_PRECISION_HINT": "f32"}
    return openvino.Core().compile_model(file, "CPU", float32)(clips)["logits"]


def _run_litert(file, clips):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file, num_threads=num_cores())
    return interpreter.get_signature_runner()(**clips)["logits"]


# Before, Keras has no such format; or (OpenVINO in 3.11 and 3.12) imports what
# OpenVINO 2026 dropped; or (LiteRT up to 3.14) ends the process beside TensorFlow 2.16.
FORMATS = {
    "onnx": Format((".onnx",), (3, 9), ("tf2onnx", "onnx", "onnxruntime"), _run_onnx),
    "openvino": Format((".xml", ".bin"), (3, 13), ("openvino", "scipy"), _run_openvino),
    "litert": Format((".tflite",), (3, 15), ("ai_edge_litert",), _run_litert),
}


def _installed(format):
    if format not in FORMATS:
        raise ValueError(f"The formats are {', '.join(FORMATS)}. Received: {format!r}")
    row = FORMATS[format]
    for package in row.packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ValueError(
                f"{format} files need the package {package}: "
                f"pip install 'kinetics-i3d-tf2[{format}]'. Received: {error}"
            ) from error
    return row


def _graph(models, format):
    """One model from clips by stream to {"logits"}, of constant normalisation."""
    inputs = {
        stream: keras.Input(value.shape[1:], name=stream)
        for stream, value in verify.inputs_of(models).items()
    }
    outputs = []
    for stream in sorted(models, reverse=True):  # rgb, flow
        folded = fold_batch_norm(models[stream], dtype="float32")
        if format == "litert":
            _pool_in_planes(folded)
        # Two streams of one name cannot be in one model.
        folded = keras.Model(folded.input, folded.output, name=f"{stream}_stream")
        outputs.append(folded(inputs if stream == "joint" else inputs[stream]))
    logits = keras.ops.add(*outputs) if len(outputs) == 2 else outputs[0]
    # The layer's name is the output's in some formats, the key in others.
    logits = keras.layers.Identity(dtype="float32", name="logits")(logits)
    return keras.Model(inputs, {"logits": logits})


def _export(graph, file, format):
    signature = [
        {
            stream: keras.InputSpec(dtype="float32", shape=value.shape, name=stream)
            for stream, value in graph.input.items()
        }
    ]
    with warnings.catch_warnings():
        # Keras looks for NumPy 1's np.object, to mend tf2onnx.
        warnings.filterwarnings("ignore", r".*`np\.object`", FutureWarning)
        graph.export(file, format=format, verbose=False, input_signature=signature)


def _pool_in_planes(model):
    """Makes a model pool over space, then over time, in place.

    It is the same maximum or mean, with two-dimensional operations. LiteRT has no
    others: Keras hands it TensorFlow's 3D pooling, which needs the Flex delegate, and
    that is in no Python package since TensorFlow 2.20 (google-ai-edge/LiteRT#6458).
    """
    functions = {
        keras.layers.MaxPooling3D: ops.max_pool,
        keras.layers.AveragePooling3D: ops.average_pool,
    }
    for layer in private_api.all_layers(model):
        if type(layer) in functions:
            layer.call = functools.partial(_pooled, layer, functions[type(layer)])


def _pooled(layer, function, inputs):
    frames, *window = layer.pool_size
    frame_stride, *strides = layer.strides
    batch, time, height, width, channels = ops.shape(inputs)
    outputs = ops.reshape(inputs, (batch * time, height, width, channels))
    outputs = function(outputs, window, strides, layer.padding, "channels_last")
    _, height, width, _ = ops.shape(outputs)
    outputs = ops.reshape(outputs, (batch, time, height * width, channels))
    outputs = function(
        outputs, (frames, 1), (frame_stride, 1), layer.padding, "channels_last"
    )
    return ops.reshape(outputs, (batch, -1, height, width, channels))
