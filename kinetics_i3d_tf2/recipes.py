"""Recipes: what is done to the data and to a model in training, as immutable values."""

import dataclasses

from .architecture import ENDPOINTS
from .transforms import CROP_SIZE, SHORT_SIDE

STREAMS = {"joint": ("rgb", "flow"), "rgb": ("rgb",), "flow": ("flow",)}
CHANNELS = {"rgb": 3, "flow": 2}
BATCH_NORM_MODES = ("live", "frozen", "synchronized")


@dataclasses.dataclass(frozen=True)
class ClipRecipe:
    """How videos become the clips that a model is trained or evaluated on.

    Attributes:
        stream: "rgb", "flow" or "joint".
        num_frames: frames of a training clip, and of a view in evaluation.
        short_side: short side in pixels that frames are resized to.
        crop_size: side of the square that is cut out of them.
        flip: whether half of the training clips are mirrored.
        max_damaged: share of the clips of a dataset that may turn out to be unreadable
            before that is an error.

    Raises:
        ValueError: a value is out of range.

    Source: paper, section 2.5; training on 64 frames.
    """

    stream: str = "rgb"
    num_frames: int = 64
    short_side: int = SHORT_SIDE
    crop_size: int = CROP_SIZE
    flip: bool = True
    max_damaged: float = 0.1

    def __post_init__(self):
        if self.stream not in STREAMS:
            raise ValueError(
                f"stream must be one of {', '.join(STREAMS)}. Received: {self.stream!r}"
            )
        if self.num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, not {self.num_frames}")
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """How a model of one stream is trained.

    Attributes:
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
        if self.clip.stream == "joint":
            raise ValueError("streams are trained one by one: rgb or flow, not joint")
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
