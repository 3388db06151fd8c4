"""Writes models for other programs, and compares the written files with Keras."""

import contextlib
import dataclasses
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
from . import formats, metadata, saved_model, signatures, verify

# Largest difference from Keras's logits, as a share of these.
_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1}
_CHECK_FRAMES = 16  # Of the clip that the written model is compared on.


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How models are exported. All but `recipe` apply to SavedModels only.

    Attributes:
        recipe: the clips that the models take; None takes those of I3D.
        top: number of classes in an answer.
        dtype: "float32" or "bfloat16".
        model_name: name under which a server knows the model; it is part of the
            warm-up requests.
        flow_epsilon: TV-L1 stops when an iteration changes the flow by less, in
            pixels.
        flow_pairs: pairs of frames whose flow is computed at once. One is fast on a
            CPU; GPUs need dozens.
    """

    recipe: ClipRecipe | None = None
    top: int = 20
    dtype: str = "float32"
    model_name: str = "i3d"
    flow_epsilon: float = EPSILON
    flow_pairs: int = 1

    def recipe_of(self, models: Mapping[str, keras.Model]) -> ClipRecipe:
        """`recipe`, or by default that of I3D for the streams of some models."""
        if self.recipe is not None:
            return self.recipe
        return ClipRecipe("joint" if len(models) > 1 else next(iter(models)))


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the version folder of a SavedModel, or the file.
        contents: its signatures or its streams, as text.
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
    options: ExportOptions = ExportOptions(),  # noqa: B008 It is immutable.
) -> Exported:
    """Exports models of one or both streams, with class names and preprocessing.

    Args:
        models: by stream: "rgb", "flow", or "joint" for one model of both.
        class_names: names of the classes, by index.
        path: for "saved_model" the folder of a model's versions, as a server gets it;
            otherwise the file: .onnx, .xml (OpenVINO) or .tflite (LiteRT).
        format: "saved_model", "onnx", "openvino" or "litert".
        options: how they are exported.

    Returns:
        What was written.

    Raises:
        OSError: it cannot be written.
        ValueError: an extra is not installed, an option does not apply to the format,
            or the written model's logits differ from Keras's; then nothing is left.

    Examples:
        >>> export_model({"rgb": model}, names, "served")
    """
    if format == "saved_model":
        return export_saved_model(models, class_names, path, options=options)
    check_format(path, format)
    if dataclasses.replace(options, recipe=None) != ExportOptions():
        raise ValueError(
            f"{format} files take no options other than recipe; the others are for "
            f"saved_model. Received: {options}"
        )
    logging.info("Writing, and comparing with Keras")
    recipe = options.recipe_of(models)
    with _only_warnings(), whole_files.write_errors_of(path, path):
        difference = formats.write(models, class_names, path, format, recipe=recipe)
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
    options: ExportOptions = ExportOptions(),  # noqa: B008 It is immutable.
) -> Exported:
    """Writes the next version of a SavedModel, with its preprocessing inside.

    Args:
        models: as of `export_model`.
        class_names: names of the classes, by index.
        folder: folder of the versions 1, 2, ...; created if absent.
        options: how they are exported.

    Returns:
        What was written.

    Raises:
        OSError: it cannot be written.
        ValueError: the written model's logits differ from Keras's.
    """
    recipe = options.recipe_of(models)
    texts = metadata.describe(models, class_names, recipe)
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
                top=options.top,
                dtype=options.dtype,
                epsilon=options.flow_epsilon,
                pairs=options.flow_pairs,
            ).concrete_functions()
            logging.info("Writing")
            name = options.model_name if saved_model.can_warm_up() else None
            # TensorFlow reports each file that it writes.
            with _only_warnings(), as_write_errors(version):
                saved_model.write(functions, written, model_name=name, texts=texts)
            logging.info("Comparing with Keras")
            logits = saved_model.load(written)["logits"]
            difference = _compare(logits, models, options.dtype)
            size = sum(p.stat().st_size for p in written.rglob("*") if p.is_file())
    return Exported(str(version), ", ".join(functions), size, difference)


def _compare(signature, models, dtype):
    """Largest difference of written logits from Keras's, which must be small."""
    clips = verify.random_clips(models, _CHECK_FRAMES)
    expected = verify.logits_of(
        {
            stream: _mean(model) if model.temporal == "dense" else model
            for stream, model in models.items()
        },
        clips,
    )
    difference = np.abs(signature(**clips)["logits"].numpy() - expected).max()
    largest = np.abs(expected).max()
    if not difference <= _TOLERANCE[dtype] * (1 + largest):
        raise ValueError(
            f"nothing is exported: the written model's logits differ by {difference:g} "
            f"from Keras's, of up to {largest:g}; are all weights finite?"
        )
    return float(difference)


def _mean(model):
    """A dense model's answer for a whole clip."""
    mean = model.endpoint_model(["Logits"], temporal="mean")
    return lambda clip, training: mean(clip, training=training)["Logits"]


@contextlib.contextmanager
def _only_warnings():
    before = logging.get_verbosity()
    logging.set_verbosity(min(before, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(before)
