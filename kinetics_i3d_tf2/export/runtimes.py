"""Other runtimes: what their files are run by, and how they carry metadata.

Each has a function that runs a file on CPU, and one that adds texts to a written file
where its own tools find them.
"""

import os
import zipfile
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ..utils.cores import num_cores
from .metadata import AXES

_FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}  # or bfloat16 where the CPU can


class Format(NamedTuple):
    """What one format is written and run with."""

    suffixes: tuple[str, ...]  # of the file that is named, and of those next to it
    keras: tuple[int, int]  # first version whose `Model.export` has the format
    packages: tuple[str, ...]
    run: Callable[[str, dict[str, np.ndarray]], np.ndarray]
    annotate: Callable[[str, Mapping[str, str]], None]
    has_3d_pooling: bool = True


def run_onnx(file: str, clips: dict[str, np.ndarray]) -> np.ndarray:
    """Logits of clips by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["logits"], clips)[0]


def annotate_onnx(file: str, texts: Mapping[str, str]) -> None:
    """Adds texts to the metadata of an ONNX file, and names the axes."""
    import onnx

    model = onnx.load(file)
    onnx.helper.set_model_props(model, dict(texts))
    model.producer_name = "kinetics_i3d_tf2"
    # Inferred shapes of inner tensors have generated names, unk__1 and so on. Every
    # runtime infers them again.
    del model.graph.value_info[:]
    for value in model.graph.input:
        # Clips of two streams may differ in length.
        is_second = len(model.graph.input) > 1 and value.name == "flow"
        frames = "flow_frames" if is_second else "frames"
        _name_axes(value, ("batch", frames, *AXES[2:]))
    for value in model.graph.output:
        is_dense = len(value.type.tensor_type.shape.dim) == 3
        places = ("places",) if is_dense else ()
        _name_axes(value, ("batch", *places, "classes"))
    onnx.save(model, file)


def _name_axes(value, names):
    dims = value.type.tensor_type.shape.dim
    if len(dims) != len(names):  # tf2onnx left the rank out.
        del dims[:]
        for _ in names:
            dims.add()
    for dim, name in zip(dims, names, strict=True):
        # Fixed sizes stay. The number of classes is in the metadata.
        if not dim.dim_value or name == "classes":
            dim.dim_param = name


def run_openvino(file: str, clips: dict[str, np.ndarray]) -> np.ndarray:
    """Logits of clips by OpenVINO."""
    import openvino

    return openvino.Core().compile_model(file, "CPU", _FLOAT32)(clips)["logits"]


def annotate_openvino(file: str, texts: Mapping[str, str]) -> None:
    """Adds texts to the runtime information of an OpenVINO file, below `model_info`."""
    import openvino

    model = openvino.Core().read_model(file)
    for key, text in texts.items():
        model.set_rt_info(text, ["model_info", key])
    for parameter in model.get_parameters():
        parameter.set_layout(openvino.Layout("NDHWC"))
    # The weights that are read stay mapped: written aside, then moved.
    stem = file.removesuffix(".xml")
    openvino.serialize(model, f"{stem}_new.xml")
    del model
    for suffix in (".bin", ".xml"):
        os.replace(f"{stem}_new{suffix}", stem + suffix)


def run_litert(file: str, clips: dict[str, np.ndarray]) -> np.ndarray:
    """Logits of clips by LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file, num_threads=num_cores())
    return interpreter.get_signature_runner()(**clips)["logits"]


def annotate_litert(file: str, texts: Mapping[str, str]) -> None:
    """Appends texts as a zip archive, as TensorFlow Lite's metadata tools do.

    `unzip` and the tools' readers find it at the end of the file; the model is at its
    start.
    """
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for key, text in texts.items():
            archive.writestr(f"{key}.json", text)


# Older versions of Keras have no such format; or (OpenVINO in 3.11 and 3.12) import
# what OpenVINO 2026 dropped; or (LiteRT up to 3.14) end the process next to
# TensorFlow 2.16.
FORMATS = {
    "onnx": Format(
        (".onnx",),
        (3, 9),
        ("tf2onnx", "onnx", "onnxruntime"),
        run_onnx,
        annotate_onnx,
    ),
    "openvino": Format(
        (".xml", ".bin"),
        (3, 13),
        ("openvino", "scipy"),
        run_openvino,
        annotate_openvino,
    ),
    "litert": Format(
        (".tflite",),
        (3, 15),
        ("ai_edge_litert",),
        run_litert,
        annotate_litert,
        has_3d_pooling=False,
    ),
}
