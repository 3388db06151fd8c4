"""Recipes: what is done to the data and to a model in training, as immutable values."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..models.architecture import ENDPOINTS, MIN_FRAMES
from ..video.transforms import CROP_SIZE, SHORT_SIDE

STREAMS = {"joint": ("rgb", "flow"), "rgb": ("rgb",), "flow": ("flow",)}
CHANNELS = {"rgb": 3, "flow": 2}
BATCH_NORM_MODES = ("live", "frozen", "synchronized")


@dataclasses.dataclass(frozen=True)
class ClipRecipe:
    """How videos become the clips that a model is trained or evaluated on.

    Attributes:
        stream: "rgb", "flow" or "joint".
        num_frames: frames of a training clip, and of a view in evaluation; at 25 a
            second, the time that it spans.
        rgb_stride: the RGB stream has one out of so many of those frames; flow has all.
        short_side: short side in pixels that frames are resized to.
        crop_size: side of the square that is cut out of them.
        flip: whether half of the training clips are mirrored.
        windowed: whether all of a video is seen as windows of `num_frames`, one after
            another; else at once.
        min_frames: frames that a video that is seen at once is looped to, if shorter.
        max_damaged: share of the clips of a dataset that may turn out to be unreadable
            before that is an error.

    Raises:
        ValueError: a value is out of range.

    Source: paper, section 2.5; training on 64 frames.
    """

    stream: str = "rgb"
    num_frames: int = 64
    rgb_stride: int = 1
    short_side: int = SHORT_SIDE
    crop_size: int = CROP_SIZE
    flip: bool = True
    windowed: bool = False
    min_frames: int = MIN_FRAMES
    max_damaged: float = 0.1

    def __post_init__(self):
        if self.stream not in STREAMS:
            raise ValueError(
                f"stream must be one of {', '.join(STREAMS)}. Received: {self.stream!r}"
            )
        for name in ("num_frames", "rgb_stride", "min_frames"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1. Received: {getattr(self, name)}"
                )
        if not 1 <= self.crop_size <= self.short_side:
            raise ValueError(
                "crop_size must be at least 1 and at most short_side "
                f"({self.short_side}). Received: {self.crop_size}"
            )
        if not 0 <= self.max_damaged <= 1:
            raise ValueError(
                f"max_damaged is a share, 0 to 1. Received: {self.max_damaged}"
            )

    @property
    def streams(self) -> tuple[str, ...]:
        """The one or two streams, RGB first."""
        return STREAMS[self.stream]

    def stride(self, stream: str) -> int:
        """Frames of the video to one of a stream."""
        return self.rgb_stride if stream == "rgb" else 1

    def length(self, stream: str) -> int:
        """Frames of a stream in a clip of training."""
        return -(-self.num_frames // self.stride(stream))


class ModelKind(NamedTuple):
    """One of the architectures that the paper compares, as its input has it."""

    streams: tuple[str, ...]  # what one model of it can be of, the usual one first
    clip: ClipRecipe  # of the usual stream


# Source: paper, section 2 and table 1. I3D's two streams are two models; the others
# of both streams are one.
MODELS: Mapping[str, ModelKind] = MappingProxyType(
    {
        "i3d": ModelKind(("rgb", "flow"), ClipRecipe()),
        "convnet_lstm": ModelKind(
            ("rgb",), ClipRecipe(num_frames=125, rgb_stride=5, min_frames=1)
        ),
        "c3d": ModelKind(
            ("rgb",),
            ClipRecipe(num_frames=16, short_side=128, crop_size=112, windowed=True),
        ),
        "two_stream": ModelKind(
            ("joint", "rgb", "flow"),
            ClipRecipe("joint", num_frames=10, rgb_stride=10, windowed=True),
        ),
        "fused": ModelKind(
            ("joint", "rgb", "flow"),
            ClipRecipe("joint", num_frames=50, rgb_stride=10, windowed=True),
        ),
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """How a model is trained.

    Attributes:
        model: one of `MODELS`.
        clip: what is done to the videos.
        steps: changes of the weights.
        batch_size: clips a step, of all replicas together.
        rates: pairs (first step, learning rate), in order, from step 0 on.
        plateau: rounds that the validation loss may stay above its least before the
            rate is a tenth; 0 leaves the rate to `rates`.
        momentum: of TensorFlow 1's rule.
        weight_decay: factor of `tf.nn.l2_loss` (half the sum of squares) of each
            convolution kernel.
        dropout_rate: share of the features dropped before the classifier.
        batch_norm: "live" takes each replica's own batch, "synchronized" that of all
            replicas, "frozen" the moving averages, which then stay as they are; the
            offset (beta) too.
        batch_norm_momentum: share of the moving averages that a step keeps.
        freeze_until: endpoint up to which nothing is trained, batch norm included;
            None trains all.
        init: "none", "released" or the path of a checkpoint. The classifier is taken
            too if it is of the same classes, else it is new.

    Raises:
        ValueError: a value is out of range.
    """

    clip: ClipRecipe
    model: str = "i3d"
    steps: int
    batch_size: int
    rates: tuple[tuple[int, float], ...]
    plateau: int = 0
    momentum: float = 0.9
    weight_decay: float = 1e-7
    dropout_rate: float = 0.5
    batch_norm: str = "live"
    batch_norm_momentum: float = 0.999
    freeze_until: str | None = None
    init: str = "none"

    def __post_init__(self):
        starts = [start for start, _ in self.rates]
        if self.model not in MODELS:
            raise ValueError(
                f"model is one of {', '.join(MODELS)}. Received: {self.model!r}"
            )
        if self.clip.stream not in MODELS[self.model].streams:
            raise ValueError(
                f"a model of {self.model} is trained on one of these streams: "
                f"{', '.join(MODELS[self.model].streams)}. Received: "
                f"{self.clip.stream!r}"
            )
        if self.batch_norm == "synchronized" and self.model == "convnet_lstm":
            raise ValueError(
                "batch_norm=synchronized is not for convnet_lstm: replicas cannot wait "
                "for each other at every time step; live or frozen"
            )
        if self.init == "released" and self.model != "i3d":
            raise ValueError(
                f"there are no released weights of {self.model}; init names a "
                "checkpoint, such as one of Inception-V1, or none"
            )
        if self.steps < 1 or self.batch_size < 1 or self.plateau < 0:
            raise ValueError(
                "steps and batch_size must be at least 1, plateau at least 0. Received:"
                f" {self.steps}, {self.batch_size}, {self.plateau}"
            )
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise ValueError(
                "rates are pairs (first step, rate) from step 0 on, in order. Received:"
                f" {self.rates}"
            )
        if min(rate for _, rate in self.rates) <= 0:
            raise ValueError(f"rates must be above 0. Received: {self.rates}")
        if self.batch_norm not in BATCH_NORM_MODES:
            raise ValueError(
                f"batch_norm is one of {', '.join(BATCH_NORM_MODES)}. Received: "
                f"{self.batch_norm!r}"
            )
        if self.freeze_until is not None and self.freeze_until not in ENDPOINTS[:-2]:
            raise ValueError(
                f"freeze_until is one of {', '.join(ENDPOINTS[:-2])}. Received: "
                f"{self.freeze_until!r}"
            )
        for name in ("momentum", "dropout_rate", "batch_norm_momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be in [0, 1). Received: {getattr(self, name)}"
                )
        if self.weight_decay < 0:
            raise ValueError(
                f"weight_decay must be at least 0. Received: {self.weight_decay}"
            )

    def rate(self, step: int) -> float:
        """Learning rate of a step, before any `plateau`."""
        return [rate for start, rate in self.rates if start <= step][-1]

    def with_steps(self, steps: int) -> "TrainingRecipe":
        """The same with another number of steps; changes of the rate move in step."""
        share = steps / self.steps
        rates = {round(start * share): rate for start, rate in self.rates}
        return dataclasses.replace(self, steps=steps, rates=tuple(rates.items()))

    def with_learning_rate(self, rate: float) -> "TrainingRecipe":
        """The same with another first rate; the later ones keep their ratio to it."""
        share = rate / self.rates[0][1]
        rates = tuple((start, value * share) for start, value in self.rates)
        return dataclasses.replace(self, rates=rates)
