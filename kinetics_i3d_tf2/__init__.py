"""I3D for TensorFlow 2 and Keras 3: the 2017 release of Carreira and Zisserman.

Names are imported when they are first used: decoding a video needs no TensorFlow.
"""

import importlib

from . import serialization

_HOMES = {
    "InceptionI3d": "models.i3d",
    "C3d": "models.c3d",
    "ConvNetLstm": "models.convnet_lstm",
    "FusedTwoStream": "models.fused_two_stream",
    "TwoStream": "models.two_stream",
    "two_stream_logits": "models.joint",
    "two_stream_probabilities": "models.joint",
    "upsample_dense": "models.dense",
    "DenseCrossentropy": "models.multi_label_losses",
    "MultiLabelCrossentropy": "models.multi_label_losses",
    "Checkpoint": "checkpoints.checkpoint",
    "export_weights": "checkpoints.conversion",
    "import_weights": "checkpoints.importing",
    "verify_checkpoint": "checkpoints.conversion",
    "load_checkpoint": "checkpoints.sonnet",
    "load_model": "checkpoints.load",
    "load_inception_v1": "checkpoints.inception_v1",
    "inflate_checkpoint": "checkpoints.inception_v1",
    "extract_features": "features.window_features",
    "evaluate": "evaluation.evaluate",
    "EvaluationOptions": "evaluation.evaluate",
    "evaluate_temporal": "evaluation.evaluate_temporal",
    "Protocol": "evaluation.protocols",
    "TemporalProtocol": "evaluation.temporal_protocol",
    "write_features": "features.write",
    "FeatureOptions": "features.write",
    "export_model": "export.export_model",
    "ExportOptions": "export.export_model",
    "draw_filters": "visualization.filters",
    "ComparisonOptions": "features.compare",
    "compare_video_sets": "features.compare",
    "frechet_video_distance": "features.fvd",
    "Classifier": "inference.classifier",
    "DenseStream": "inference.dense_stream",
    "LabellingOptions": "inference.labelling",
    "LiveOptions": "inference.live",
    "TableOptions": "inference.label_steps",
    "find_segments": "inference.segments",
    "write_captions": "inference.captions",
    "write_labels": "inference.label_table",
    "write_timeline": "visualization.timeline",
    "VideoScores": "inference.labelling",
    "Scores": "inference.scores",
    "decode_predictions": "inference.scores",
    "preprocess_input": "inference.frames",
    "Windows": "inference.windows",
    "save_checkpoint": "checkpoints.sonnet",
    "fold_batch_norm": "inference.graph",
    "freeze": "inference.graph",
    "Momentum": "training.momentum",
    "make_demo_dataset": "demo.dataset",
    "make_long_demo_dataset": "demo.long_dataset",
    "RECIPES": "training.recipes",
    "Trainer": "training.trainer",
    "TrainingData": "training.options",
    "TrainingOptions": "training.options",
    "TrainingRecipe": "training.recipe",
    "train": "training.fit",
    "class_names": "data.labels",
    "top_k": "data.labels",
    "fetch": "checkpoints.released",
    "ImageFolder": "video.image_folder",
    "iter_video": "video.reader",
    "read_video": "video.reader",
    "iter_optical_flow": "video.optical_flow",
    "optical_flow": "video.optical_flow",
    "normalize_flow": "video.optical_flow",
    "normalize_rgb": "video.transforms",
    "resize_short_side": "video.transforms",
    "read_charades": "data.listings.charades",
    "read_csv": "data.listings.own_csv",
    "read_folder": "data.listings.class_folders",
    "read_intervals": "data.listings.own_csv",
    "read_hmdb51": "data.listings.numbered_splits",
    "read_kinetics": "data.datasets",
    "read_ucf101": "data.listings.numbered_splits",
    "ClipRecipe": "data.clip_recipe",
    "Interval": "data.intervals",
    "Targets": "data.targets",
    "ReadOptions": "data.read_options",
    "find_records": "data.records.tfrecord",
    "write_records": "data.records.writer",
    "for_evaluation": "data.tf_data.pipeline",
    "for_training": "data.tf_data.pipeline",
    "read_label_map": "data.labels",
    "center_crop": "video.transforms",
}

__all__ = list(_HOMES)
__version__ = "0.1.0"

serialization.register_when_keras_is_imported()


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_HOMES])
