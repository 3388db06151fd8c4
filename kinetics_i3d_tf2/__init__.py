"""I3D for TensorFlow 2 and Keras 3: the 2017 release of Carreira and Zisserman.

Examples:
    >>> import kinetics_i3d_tf2 as i3d
    >>> classifier = i3d.Classifier("rgb_imagenet", "flow_imagenet")
    >>> classifier("clip.mp4", top=1)
    [('playing cricket', 0.9999)]

`dir(i3d)` lists all names, and `help(i3d.Classifier)` explains one. By job:

- use a model: Classifier, decode_predictions, preprocess_input, find_segments,
  write_labels, write_captions, write_timeline
- models: InceptionI3d, load_model, C3d, ConvNetLstm, TwoStream, FusedTwoStream
- weights: Checkpoint, fetch, import_weights, export_weights, save_checkpoint
- videos: read_video, iter_video, optical_flow, ImageFolder
- data sets: read_folder, read_csv, read_kinetics, write_records, for_training
- training: train, RECIPES, TrainingData, TrainingOptions, Trainer
- results: evaluate, write_features, extract_features, compare_video_sets
- serving: export_model, freeze, fold_batch_norm

Names are imported when they are first used: decoding a video needs no TensorFlow.
"""

import ast
import importlib
from pathlib import Path

from . import serialization

__version__ = "0.1.0"


def _read_homes():
    """Modules of the public names, out of the stub that type checkers read."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


# Without `__all__`, for which help() would show every class of every base class.
_HOMES = _read_homes()

serialization.register_when_keras_is_imported()


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*_HOMES, "__doc__", "__file__", "__name__", "__version__"])
