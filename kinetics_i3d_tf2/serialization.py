"""Lets Keras find the classes of this package in `.keras` files.

Keras knows custom classes once they are registered, which importing their modules does.
Importing this package registers stand-ins that import a module when one of its classes
is found in a file. It does so when Keras is imported, and does not import it.
"""

import contextlib
import importlib
import sys

from .utils.imports import wrap_import

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
    else:
        wrap_import("keras", _registering)


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


@contextlib.contextmanager
def _registering():
    yield
    _register()
