"""The architectures that the paper compares: their streams, clips and classes."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Architecture(NamedTuple):
    """An architecture, as its input has it.

    Attributes:
        home: module of this folder that holds its class.
        class_name: name of the class.
        streams: what one model of it can be of, the usual one first.
        clip: fields of its clips that differ from those of I3D, as `ClipRecipe` has
            them.
    """

    home: str
    class_name: str
    streams: tuple[str, ...]
    clip: Mapping[str, int | bool] = MappingProxyType({})

    def model_class(self) -> type:
        """Its Keras model, imported when it is needed."""
        return getattr(
            importlib.import_module(f".{self.home}", __package__), self.class_name
        )


# Source: paper, section 2 and table 1. I3D's two streams are two models; the others
# of both streams are one.
ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "i3d": Architecture("i3d", "InceptionI3d", ("rgb", "flow")),
        "convnet_lstm": Architecture(
            "convnet_lstm",
            "ConvNetLstm",
            ("rgb",),
            {"num_frames": 125, "rgb_stride": 5, "min_frames": 1},
        ),
        "c3d": Architecture(
            "c3d",
            "C3d",
            ("rgb",),
            {"num_frames": 16, "short_side": 128, "crop_size": 112, "windowed": True},
        ),
        "two_stream": Architecture(
            "two_stream",
            "TwoStream",
            ("joint", "rgb", "flow"),
            {"num_frames": 10, "rgb_stride": 10, "windowed": True},
        ),
        "fused": Architecture(
            "fused_two_stream",
            "FusedTwoStream",
            ("joint", "rgb", "flow"),
            {"num_frames": 50, "rgb_stride": 10, "windowed": True},
        ),
    }
)
