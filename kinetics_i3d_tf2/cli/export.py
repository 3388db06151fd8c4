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

Other runtimes, the logits alone:
  i3d export --format=onnx --out=i3d.onnx
"""

import contextlib
from pathlib import Path

import numpy as np
from absl import flags, logging

from ..streams import STREAMS
from ..utils import files as storage
from ..utils import run_dir
from ..video.optical_flow import EPSILON
from . import clip_flags, model_flags, program

clip_flags.declare_for_help()
model_flags.declare_for_help()
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
    ["saved_model", "onnx", "openvino", "litert"],
    "What to write; the last three hold the signature logits, through Keras's export.",
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name",
    "i3d",
    "Name that the server will know the model by; the requests that warm it up say it.",
)
_FLOW_EPSILON = flags.DEFINE_float(
    "flow_epsilon",
    EPSILON,
    "TV-L1's iterations stop when they change the flow by less, in pixels; 0.05 is "
    "several times faster.",
)
_FLOW_PAIRS = flags.DEFINE_integer(
    "flow_pairs",
    1,
    "Pairs of frames whose flow is computed at once; more, as 32, suits GPUs.",
    1,
)
# Largest difference from Keras's logits, as a share of these.
_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}
_CHECK_FRAMES = 16  # Of the clip that the written model is compared on.


def main(argv):
    """Exports what the flags ask for."""
    program.reject_positional(argv)
    _check_flags()
    if _FORMAT.value == "saved_model":
        _write_version()
    else:
        _write_other()


def _check_flags():
    model_flags.check()
    if _FORMAT.value == "saved_model" and (
        not _OUT.value or storage.is_address(_OUT.value)
    ):
        raise ValueError(f"--out={_OUT.value}: name a folder on this machine")
    if _FORMAT.value == "saved_model" and Path(_OUT.value).is_file():
        raise ValueError(f"--out={_OUT.value}: is a file; name a folder")
    if clip_flags.MODEL.value == "i3d" and clip_flags.NUM_FRAMES.present:
        raise ValueError("--num_frames: an exported I3D takes any number of frames")
    if not _MODEL_NAME.value:
        raise ValueError("--model_name= names nothing; leave it out, or name one")
    if not 0 < _FLOW_EPSILON.value < np.inf:
        raise ValueError("--flow_epsilon must be above 0 pixels")
    of_flow = (_FLOW_EPSILON, _FLOW_PAIRS)
    for flag in (model_flags.TOP, model_flags.DTYPE, _MODEL_NAME, *of_flow):
        if flag.present and _FORMAT.value != "saved_model":
            raise ValueError(f"--{flag.name} is for --format=saved_model")
    for flag in of_flow:
        if flag.present and "flow" not in STREAMS[model_flags.stream()]:
            raise ValueError(f"--{flag.name} is for models with a Flow stream")


def _load_models():
    # A server must not be given a demonstration because a download failed.
    checkpoints = model_flags.find_checkpoints(may_demonstrate=False)
    return model_flags.load_models(checkpoints)


def _write_version():
    with program.quiet_tensorflow():
        from ..export import saved_model, signatures
    warmup_name = _warmup_name()
    models, class_names = _load_models()
    out = Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    with run_dir.only_run(out):
        version = saved_model.next_version(out)
        with run_dir.atomic_folder(version) as folder:
            logging.info("Building the signatures")
            functions = signatures.Signatures(
                models,
                class_names,
                recipe=clip_flags.clip_recipe(model_flags.stream()),
                top=model_flags.TOP.value,
                dtype=model_flags.DTYPE.value,
                epsilon=_FLOW_EPSILON.value,
                pairs=_FLOW_PAIRS.value,
            ).concrete_functions()
            logging.info("Writing")
            with _only_warnings():  # TensorFlow reports each file that it writes.
                saved_model.write(functions, folder, model_name=warmup_name)
            logging.info("Comparing with Keras")
            difference = _compare(saved_model.load(folder)["logits"], models)
            size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    print(
        f"{version}: {', '.join(functions)}; {len(class_names)} classes, "
        f"{size / 1e6:.1f} MB, largest difference from Keras's logits {difference:.2g}"
    )


def _compare(signature, models):
    """Largest difference of written logits from Keras's, which must be small."""
    from ..export import verify

    clips = verify.random_clips(models, _CHECK_FRAMES)
    expected = verify.logits_of(models, clips)
    difference = np.abs(signature(**clips)["logits"].numpy() - expected).max()
    largest = np.abs(expected).max()
    if not difference <= _TOLERANCE[model_flags.DTYPE.value] * (1 + largest):
        raise ValueError(
            f"nothing is exported: the written model's logits differ by {difference:g} "
            f"from Keras's, of up to {largest:g}; are all weights finite?"
        )
    return difference


@contextlib.contextmanager
def _only_warnings():
    before = logging.get_verbosity()
    logging.set_verbosity(min(before, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _warmup_name():
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2  # noqa: F401
    except ImportError as error:
        logging.warning(
            "No requests to warm a server up are written (%s): they need "
            "pip install 'kinetics-i3d-tf2[serving]'",
            error,
        )
        return None
    return _MODEL_NAME.value


def _write_other():
    with program.quiet_tensorflow():
        from ..export import formats
    formats.check(_OUT.value, _FORMAT.value)  # Before what takes long.
    models, class_names = _load_models()
    logging.info("Writing, and comparing with Keras")
    with _only_warnings(), program.quiet_tensorflow():
        difference = formats.write(models, _OUT.value, _FORMAT.value)
    files = formats.files(_OUT.value, _FORMAT.value)
    size = sum(map(storage.size, files)) / 1e6
    print(
        f"{_OUT.value}: {', '.join(models)} to logits; {len(class_names)} classes, "
        f"{size:.1f} MB, largest difference from Keras's logits {difference:.2g}"
    )
