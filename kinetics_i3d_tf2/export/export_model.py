"""Writes models for other programs, and compares what was written with Keras."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from absl import logging

from ..arguments import suggest_arguments
from ..data.clip_recipe import ClipRecipe
from ..utils import files, run_dir, whole_files
from ..utils.tensorflow_errors import as_write_errors
from ..video.optical_flow import EPSILON
from . import formats, saved_model, signatures, verify

# Largest difference from Keras's logits, as a share of these.
_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}
_CHECK_FRAMES = 16  # Of the clip that the written model is compared on.


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the version folder of a SavedModel, or the file.
        contents: its signatures, or its streams, for people.
        size: bytes.
        difference: largest difference of its logits from Keras's.
    """

    path: str
    contents: str
    size: int
    difference: float


@suggest_arguments
def export_model(
    models: Mapping[str, keras.Model],
    class_names: Sequence[str],
    path: str | os.PathLike,
    *,
    format: str = "saved_model",
    **options,
) -> Exported:
    """Exports models of one or both streams.

    Args:
        models: by stream: "rgb", "flow", or "joint" for one model of both.
        class_names: names of the classes, by index.
        path: with "saved_model" the folder of a model's versions, as a server gets it;
            else the file: .onnx, .xml (OpenVINO) or .tflite (LiteRT).
        format: "saved_model", "onnx", "openvino" or "litert".
        **options: of `export_saved_model`, with that format.

    Returns:
        What was written.

    Raises:
        TypeError: an unknown argument.
        OSError: it cannot be written.
        ValueError: an extra is not installed, or the written model's logits differ from
            Keras's; then nothing is left.

    Examples:
        >>> export_model({"rgb": model}, names, "served")
    """
    if format == "saved_model":
        return export_saved_model(models, class_names, path, **options)
    if options:
        raise TypeError(
            f"export_model() has no argument {next(iter(options))!r} with the format "
            f"{format}"
        )
    check_format(path, format)
    logging.info("Writing, and comparing with Keras")
    with _only_warnings(), whole_files.write_errors_of(path, path):
        difference = formats.write(models, path, format)
    size = sum(map(files.size, formats.files(path, format)))
    return Exported(str(path), f"{', '.join(models)} to logits", size, difference)


def check_format(path: str | os.PathLike, format: str) -> None:
    """Checks that a file of another format can be written, before any work.

    Args:
        path: the file.
        format: "onnx", "openvino" or "litert".

    Raises:
        ValueError: its packages are not installed, or the path is wrong.
    """
    formats.check(path, format)


@suggest_arguments
def export_saved_model(
    models: Mapping[str, keras.Model],
    class_names: Sequence[str],
    folder: str | os.PathLike,
    *,
    recipe: ClipRecipe | None = None,
    top: int = 20,
    dtype: str = "float32",
    model_name: str = "i3d",
    flow_epsilon: float = EPSILON,
    flow_pairs: int = 1,
) -> Exported:
    """Writes the next version of a SavedModel, with its preprocessing inside.

    Args:
        models: as of `export_model`.
        class_names: names of the classes, by index.
        folder: holds the versions 1, 2, ...; made if it is missing.
        recipe: the clips that the models take; by default those of I3D.
        top: how many classes it answers with.
        dtype: "float32" or "bfloat16".
        model_name: name that the server knows the model by; the requests that warm it
            up carry it.
        flow_epsilon: TV-L1's iterations stop when they change the flow by less, in
            pixels.
        flow_pairs: pairs of frames whose flow is computed at once.

    Returns:
        What was written.

    Raises:
        OSError: it cannot be written.
        ValueError: the written model's logits differ from Keras's.
    """
    if recipe is None:
        recipe = ClipRecipe("joint" if len(models) > 1 else next(iter(models)))
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with run_dir.only_run(out):
        version = saved_model.next_version(out)
        with run_dir.atomic_folder(version) as written:
            logging.info("Building the signatures")
            functions = signatures.Signatures(
                models,
                class_names,
                recipe=recipe,
                top=top,
                dtype=dtype,
                epsilon=flow_epsilon,
                pairs=flow_pairs,
            ).concrete_functions()
            logging.info("Writing")
            name = model_name if saved_model.can_warm_up() else None
            # TensorFlow reports each file that it writes.
            with _only_warnings(), as_write_errors(version):
                saved_model.write(functions, written, model_name=name)
            logging.info("Comparing with Keras")
            difference = _compare(saved_model.load(written)["logits"], models, dtype)
            size = sum(p.stat().st_size for p in written.rglob("*") if p.is_file())
    return Exported(str(version), ", ".join(functions), size, difference)


def _compare(signature, models, dtype):
    """Largest difference of written logits from Keras's, which must be small."""
    clips = verify.random_clips(models, _CHECK_FRAMES)
    expected = verify.logits_of(models, clips)
    difference = np.abs(signature(**clips)["logits"].numpy() - expected).max()
    largest = np.abs(expected).max()
    if not difference <= _TOLERANCE[dtype] * (1 + largest):
        raise ValueError(
            f"nothing is exported: the written model's logits differ by {difference:g} "
            f"from Keras's, of up to {largest:g}; are all weights finite?"
        )
    return float(difference)


@contextlib.contextmanager
def _only_warnings():
    before = logging.get_verbosity()
    logging.set_verbosity(min(before, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(before)
