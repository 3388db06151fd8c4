"""Lets Keras find the classes of this package in `.keras` files.

Keras knows custom classes once they are registered, which importing their modules does.
Importing this package registers stand-ins that import a module when one of its classes
is found in a file. It does so when Keras is imported, and does not import it.
"""

import importlib
import importlib.util
import sys

_PACKAGE = __package__

# Modules of the registered classes.
HOMES: dict[str, tuple[str, ...]] = {
    "models.baseline": ("StackFlow",),
    "models.batch_norm_lstm": ("BatchNormLstm", "StepwiseBatchNorm"),
    "models.c3d": ("C3d",),
    "models.convnet_lstm": ("ConvNetLstm", "LastStep", "SpatialMean"),
    "models.endpoint_model": ("EndpointModel",),
    "models.fused_two_stream": ("FusedTwoStream", "_Features"),
    "models.head_policy": ("HeadPolicy",),
    "models.i3d": ("InceptionI3d",),
    "models.inception": ("InceptionBlock", "Unit2D", "Unit3D"),
    "models.inception_v1": ("InceptionV1",),
    "models.logits": ("Logits",),
    "models.losses": ("Crossentropy", "Top1"),
    "models.multi_label_losses": ("DenseCrossentropy", "MultiLabelCrossentropy"),
    "models.two_stream": ("MeanOfPredictions", "StreamLogits", "TwoStream"),
    "training.momentum": ("Momentum",),
}


def register_when_keras_is_imported() -> None:
    """Registers the stand-ins now if Keras is there, or else once it is imported."""
    if "keras" in sys.modules and hasattr(sys.modules["keras"], "saving"):
        _register()
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder())


class _StandIn:
    """A class that is imported when it is used."""

    def __init__(self, home, name):
        self._home = home
        self._name = name

    def __call__(self, *args, **kwargs):
        return self._import()(*args, **kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._import(), name)

    def _import(self):
        return getattr(importlib.import_module(self._home), self._name)


def _register():
    import keras

    # Modules that are imported have registered the classes themselves.
    known = keras.saving.get_custom_objects()
    for home, names in HOMES.items():
        for name in names:
            stand_in = _StandIn(f"{_PACKAGE}.{home}", name)
            known.setdefault(f"{_PACKAGE}>{name}", stand_in)


class _KerasFinder:
    """Finds Keras as the other finders do, and registers the classes afterwards."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                break
        else:
            return None
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            _register()

        spec.loader.exec_module = exec_module
        return spec
