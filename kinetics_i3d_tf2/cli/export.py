r"""Exports a SavedModel that takes plain frames and answers with labels.

Both streams of the release, optical flow included, for TensorFlow Serving:
  i3d export --eval_type=joint --out=served

--weights=demo exports the small demonstration's weights. The same with models of your
own, as i3d train writes them:
  i3d export --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best --out=served

Writes DIR/1, the next time DIR/2 and so on, each whole or not there. The model needs
nothing of this package to run, nor XLA. Its signatures:
  serving_default  frames: uint8 (batch, frames, height, width, 3), RGB, 25 a second,
                   from 9 frames of 193 pixels on; gives labels, probabilities, logits
                   and class_ids of the top classes
  encoded_frames   image_bytes: the same as JPEG or PNG strings (batch, frames)
  flow             frames with flow, float32 (batch, frames - 1, height, width, 2) in
                   pixels: for clients that compute it, as TV-L1 takes long without GPU
  features         frames; gives Mixed_5c averaged, 1024 a stream
  logits           rgb, flow: float32 clips in [-1, 1], as the model takes them

Another architecture, with the clips that it was trained on (--num_frames and
--rgb_stride, if other than usual); it has no signature features:
  i3d export --model=two_stream --joint_checkpoint=RUN/best \
    --out=served

Other runtimes, the logits alone; class names and preprocessing are in the file's
metadata, and the names in i3d.labels.txt:
  i3d export --format=onnx --out=i3d.onnx
"""

import dataclasses
from pathlib import Path

from absl import flags

from ..streams import STREAMS
from ..utils import files
from . import program
from .flags import chosen_checkpoints, clip_flags, flow_flags, model_flags

clip_flags.declare_for_help()
model_flags.declare_for_help()
flow_flags.declare_for_help(engine=False)
_OUT = flags.DEFINE_string(
    "out",
    None,
    "Folder of the versions, as a server is given it; with another --format the file: "
    ".onnx, .xml (OpenVINO, with a .bin beside it) or .tflite (LiteRT).",
    required=True,
)
_FORMAT = flags.DEFINE_enum(
    "format",
    "saved_model",
    ["saved_model", "onnx", "openvino", "litert", "tflite"],
    "What to write; all but the first hold the signature logits, through Keras's "
    "export. tflite is litert.",
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name",
    "i3d",
    "Name that the server will know the model by; the requests that warm it up say it.",
)
_FLOW_PAIRS = flags.DEFINE_integer(
    "flow_pairs",
    1,
    "Pairs of frames whose flow is computed at once; more, as 32, suits GPUs.",
    1,
)


def main(argv):
    """Exports the models that the flags name."""
    program.reject_positional(argv)
    if _FORMAT.value == "tflite":
        flags.FLAGS.format = "litert"
    _check_flags()
    with program.quiet_tensorflow():
        from ..export import export_model as engine
    options = engine.ExportOptions(recipe=clip_flags.clip_recipe(model_flags.stream()))
    if _FORMAT.value == "saved_model":
        options = dataclasses.replace(
            options,
            top=model_flags.TOP.value,
            dtype=model_flags.dtype(),
            model_name=_MODEL_NAME.value,
            flow_epsilon=flow_flags.FLOW_EPSILON.value,
            flow_pairs=_FLOW_PAIRS.value,
        )
    else:
        engine.check_format(_OUT.value, _FORMAT.value)  # Before what takes long.
    # A server must not be given a demonstration because a download failed.
    checkpoints = chosen_checkpoints.find_checkpoints()
    models, class_names = chosen_checkpoints.load_models(checkpoints)
    done = engine.export_model(
        models, class_names, _OUT.value, format=_FORMAT.value, options=options
    )
    print(
        f"{done.path}: {done.contents}; {len(class_names)} classes, "
        f"{done.size / 1e6:.1f} MB, largest difference from Keras's logits "
        f"{done.difference:.2g}"
    )


def _check_flags():
    model_flags.check()
    if _FORMAT.value == "saved_model" and (
        not _OUT.value or files.is_address(_OUT.value)
    ):
        raise ValueError(f"--out={_OUT.value}: name a folder on this machine")
    if _FORMAT.value == "saved_model" and Path(_OUT.value).is_file():
        raise ValueError(f"--out={_OUT.value}: is a file; name a folder")
    files.check_writable(_OUT.value)
    if clip_flags.MODEL.value == "i3d" and clip_flags.NUM_FRAMES.present:
        raise ValueError("--num_frames: an exported I3D takes any number of frames")
    if not _MODEL_NAME.value:
        raise ValueError("--model_name= is empty; omit it or pass a value")
    flow_flags.check()
    of_flow = (flow_flags.FLOW_EPSILON, _FLOW_PAIRS)
    for flag in (model_flags.TOP, model_flags.DTYPE, _MODEL_NAME, *of_flow):
        if flag.present and _FORMAT.value != "saved_model":
            raise ValueError(f"--{flag.name} is for --format=saved_model")
    for flag in of_flow:
        if flag.present and "flow" not in STREAMS[model_flags.stream()]:
            raise ValueError(f"--{flag.name} is for models with a Flow stream")
