"""I3D for TensorFlow 2 and Keras 3: the 2017 release of Carreira and Zisserman.

Names are imported when they are first used: decoding a video needs no TensorFlow.
"""

import importlib

_HOMES = {
    "InceptionI3d": "inception_i3d",
    "C3d": "baselines.c3d",
    "ConvNetLstm": "baselines.convnet_lstm",
    "FusedTwoStream": "baselines.fused",
    "TwoStream": "baselines.two_stream",
    "two_stream_logits": "inception_i3d",
    "two_stream_probabilities": "inception_i3d",
    "load_checkpoint": "checkpoint",
    "load_model": "models",
    "load_inception_v1": "imagenet",
    "extract_features": "extraction",
    "frechet_video_distance": "video_distance",
    "Windows": "windows",
    "save_checkpoint": "checkpoint",
    "fold_batch_norm": "inference",
    "freeze": "inference",
    "Momentum": "optimizer",
    "Trainer": "trainer",
    "class_names": "labels",
    "top_k": "labels",
    "fetch": "release",
    "iter_video": "video",
    "read_video": "video",
    "optical_flow": "flow",
    "normalize_flow": "flow",
    "normalize_rgb": "transforms",
    "resize_short_side": "transforms",
    "read_csv": "datasets",
    "read_folder": "datasets",
    "read_hmdb51": "datasets",
    "read_kinetics": "datasets",
    "read_ucf101": "datasets",
    "ClipRecipe": "recipes",
    "find_records": "tfrecord",
    "for_evaluation": "pipeline",
    "for_training": "pipeline",
    "read_label_map": "labels",
    "center_crop": "transforms",
}

__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_HOMES])
