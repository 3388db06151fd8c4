"""How a model is trained, as an immutable value."""

import dataclasses

from ..data.clip_recipe import ClipRecipe
from ..models.architecture import ENDPOINTS
from ..models.registry import ARCHITECTURES

BATCH_NORM_MODES = ("live", "frozen", "synchronized")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """How a model is trained.

    Attributes:
        model: one of `models.registry.ARCHITECTURES`.
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
        if self.model not in ARCHITECTURES:
            raise ValueError(
                f"model is one of {', '.join(ARCHITECTURES)}. Received: {self.model!r}"
            )
        if self.clip.stream not in ARCHITECTURES[self.model].streams:
            raise ValueError(
                f"a model of {self.model} is trained on one of these streams: "
                f"{', '.join(ARCHITECTURES[self.model].streams)}. Received: "
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
