"""Models as files of other runtimes (ONNX, OpenVINO, LiteRT), by Keras's own export."""

import importlib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import keras
import numpy as np

from ..data import labels
from ..data.clip_recipe import ClipRecipe
from ..utils.files import atomic_writer, is_address, is_dir
from ..utils.scratch import temporary_folder
from . import clip_graph, metadata, verify
from .runtimes import FORMATS, Format

_LABELS = ".labels.txt"


def write(
    models: Mapping[str, keras.Model],
    class_names: Sequence[str],
    path: str | os.PathLike,
    format: str,
    *,
    recipe: ClipRecipe | None = None,
    num_frames: int = 16,
) -> float:
    """Writes one or both streams as one file, and compares it with Keras.

    The file takes float32 clips `(batch, frames, height, width, channels)` by the
    names `rgb` and `flow`, preprocessed as for the model, and returns `logits`, summed
    over two streams. Batch, frames, height and width are free. Logits of a clip with
    values outside [-1, 1], such as uint8 pixels, are NaN. Sizes are not checked: below
    9 frames or 193 pixels a side ONNX Runtime and OpenVINO fail, and LiteRT returns
    meaningless logits.

    The file contains `class_names` and `preprocessing` of `metadata.describe`: in
    ONNX's metadata properties, below `model_info` in OpenVINO's runtime information,
    and in a zip archive at the end of a LiteRT file. The class names are also written
    next to it, one per line (`.labels.txt`).

    OpenVINO's converter sends Intel data about its use, unasked: `opt_in_out
    --opt_out`, which comes with it, or `CI=true` in the environment turns that off.

    Args:
        models: by stream: `InceptionI3d`s of "rgb", "flow" or both that end at
            `Logits`, or one of `baselines`, of both streams as "joint"; in any dtype
            policy. The file computes in float32.
        class_names: names of the classes, by index.
        path: file to write, local or an address: .onnx; .xml, with its weights in a
            .bin of the same name; .tflite.
        format: "onnx", "openvino" or "litert".
        recipe: the clips that the models take, for the metadata; by default those of
            I3D.
        num_frames: frames of the clip that the file is compared on, with 224 pixels a
            side, if the model takes any size.

    Returns:
        Largest absolute difference between the file's logits and Keras's, on random
        pixels.

    Raises:
        ValueError: as of `check`; streams of other names or of different classes,
            fewer than 9 frames, or logits that are not finite.
        OSError: the file cannot be written. What was there before stays, except files
            next to the named one that were written before it.

    Examples:
        >>> difference = write({"rgb": model}, class_names, "i3d.onnx", "onnx")
    """
    row = check(path, format)
    if set(models) not in ({"rgb"}, {"flow"}, {"rgb", "flow"}, {"joint"}):
        raise ValueError(
            'models are by stream: "rgb", "flow" or both, or "joint" for one of both. '
            f"Received: {', '.join(models) or 'none'}"
        )
    clips = verify.random_clips(models, num_frames)
    expected = verify.logits_of(models, clips)  # It also checks the clips.
    texts = metadata.describe(models, class_names, recipe or ClipRecipe())
    with temporary_folder() as folder:
        written = Path(folder, "model")
        file = os.fspath(written.with_suffix(row.suffixes[0]))
        graph = clip_graph.build(models, has_3d_pooling=row.has_3d_pooling)
        clip_graph.save(graph, file, format)
        row.annotate(file, texts)
        labels.write_label_map(written.with_suffix(_LABELS), class_names)
        difference = float(np.max(np.abs(row.run(file, clips) - expected)))
        if not np.isfinite(difference):
            raise ValueError(
                "nothing is written: logits are not finite; are all weights finite?"
            )
        with ExitStack() as stack:
            # The named file is moved into place last.
            for target in files(path, format):
                aside = stack.enter_context(atomic_writer(target))
                suffix = target.removeprefix(_stem(path, format))
                shutil.copyfile(written.with_suffix(suffix), aside)
    return difference


def files(path: str | os.PathLike, format: str) -> list[str]:
    """Files that `write` writes for a path, the named one first."""
    suffixes = (*FORMATS[format].suffixes, _LABELS)
    return [_stem(path, format) + suffix for suffix in suffixes]


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
    """Runs a written file with its own runtime on CPU.

    Args:
        path: a local file of `write`.
        format: "onnx", "openvino" or "litert".
        clips: float32 (batch, frames, height, width, channels) of each stream, by name.

    Returns:
        Logits, float32 (batch, num_classes).

    Raises:
        ValueError: an unknown format, or its package is not installed.
    """
    return _installed(format).run(os.fspath(path), clips)


def _stem(path, format):
    return os.fspath(path).removesuffix(FORMATS[format].suffixes[0])


def _installed(format):
    if format not in FORMATS:
        of_suffix = [n for n, row in FORMATS.items() if f".{format}" in row.suffixes]
        hint = f"; did you mean {of_suffix[0]!r}?" if of_suffix else ""
        raise ValueError(
            f"The formats are {', '.join(FORMATS)}. Received: {format!r}{hint}"
        )
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
