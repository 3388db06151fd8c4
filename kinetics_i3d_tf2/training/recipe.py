"""How a model is trained, as an immutable value."""

import dataclasses

from ..arguments import suggest_arguments
from ..data.clip_recipe import ClipRecipe
from ..data.targets import Targets
from ..models.architecture import ENDPOINTS
from ..models.registry import ARCHITECTURES

LOSSES = ("softmax", "sigmoid")
TEMPORAL = ("mean", "dense")
BATCH_NORM_MODES = ("live", "frozen", "synchronized")


@suggest_arguments
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """How a model is trained.

    Attributes:
        model: one of `models.registry.ARCHITECTURES`.
        clip: how videos become clips.
        steps: number of steps, each of which changes the weights once.
        batch_size: clips per step, on all replicas together.
        rates: pairs (first step, learning rate), in order, from step 0 on.
        plateau: checkpoints in a row that may not lower the validation loss before the
            learning rate is divided by 10; 0 follows `rates` alone.
        momentum: momentum of TensorFlow 1's rule, in [0, 1).
        weight_decay: factor of `tf.nn.l2_loss` (half the sum of squares) of each
            convolution kernel.
        dropout_rate: share of the features dropped before the classifier, in [0, 1).
        batch_norm: "live" normalizes by each replica's own batch, "synchronized" by
            that of all replicas, "frozen" by the moving averages, which then stay as
            they are, as does the offset (beta).
        batch_norm_momentum: share of the moving averages that a step keeps, in [0, 1).
        freeze_until: endpoint up to which nothing is trained, batch norm included;
            None trains everything.
        loss: "softmax" of clips with one label, "sigmoid" of any number of labels at
            once, each by itself.
        temporal: "mean" trains one answer for a clip; "dense", with "sigmoid" and I3D,
            one for each frame and their maximum, half and half (`DenseCrossentropy`).
        label_smoothing: share of a softmax's target that is spread evenly over all
            classes, in [0, 1).
        init: "none", "released" or the path of a checkpoint, whose classifier is
            loaded too if it has the same classes.

    Raises:
        ValueError: a value is out of range, or does not go with the model.
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
    loss: str = "softmax"
    temporal: str = "mean"
    label_smoothing: float = 0.0
    init: str = "none"

    def __post_init__(self):
        self._check_model()
        self._check_schedule()
        self._check_loss()
        self._check_one_of("batch_norm", BATCH_NORM_MODES)
        if self.freeze_until is not None:
            self._check_one_of("freeze_until", ENDPOINTS[:-2])
        shares = ("momentum", "dropout_rate", "batch_norm_momentum", "label_smoothing")
        for name in shares:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be in [0, 1). Received: {getattr(self, name)}"
                )
        if self.weight_decay < 0:
            raise ValueError(
                f"weight_decay must be at least 0. Received: {self.weight_decay}"
            )

    def _check_one_of(self, name, values):
        if getattr(self, name) not in values:
            raise ValueError(
                f"{name} must be one of {', '.join(values)}. Received: "
                f"{getattr(self, name)!r}"
            )

    def _check_model(self):
        self._check_one_of("model", ARCHITECTURES)
        streams = ARCHITECTURES[self.model].streams
        if self.clip.stream not in streams:
            raise ValueError(
                f"{self.model} is trained on one of these streams: "
                f"{', '.join(streams)}. Received: {self.clip.stream!r}"
            )
        if self.batch_norm == "synchronized" and self.model == "convnet_lstm":
            raise ValueError(
                "convnet_lstm does not support batch_norm=synchronized: replicas "
                "cannot wait for each other at every time step. Use live or frozen"
            )
        if self.init == "released" and self.model != "i3d":
            raise ValueError(
                f"there are no released weights of {self.model}; set init to a "
                "checkpoint, such as one of Inception-V1, or to none"
            )

    def _check_loss(self):
        self._check_one_of("loss", LOSSES)
        self._check_one_of("temporal", TEMPORAL)
        if self.temporal == "dense" and self.model != "i3d":
            raise ValueError(
                f"{self.model} has no logits at each place in time; temporal=dense is "
                "for i3d"
            )
        if self.temporal == "dense" and self.loss == "softmax":
            raise ValueError(
                "temporal=dense trains each frame on its labels, of which there may be "
                "none or several, and a softmax needs exactly one: use loss=sigmoid. "
                "For one label a clip, train with temporal=mean; dense logits of these "
                "weights are of the same model"
            )
        if self.label_smoothing and self.loss != "softmax":
            raise ValueError(
                "label_smoothing is for loss=softmax. Received: "
                f"{self.label_smoothing} with {self.loss}"
            )

    def _check_schedule(self):
        if self.steps < 1 or self.batch_size < 1 or self.plateau < 0:
            raise ValueError(
                "steps and batch_size must be at least 1, plateau at least 0. Received:"
                f" {self.steps}, {self.batch_size}, {self.plateau}"
            )
        starts = [start for start, _ in self.rates]
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise ValueError(
                "rates must be pairs (first step, rate) from step 0 on, in order. "
                f"Received: {self.rates}"
            )
        if min(rate for _, rate in self.rates) <= 0:
            raise ValueError(f"rates must be above 0. Received: {self.rates}")

    def clips_with_targets(self, num_classes: int) -> ClipRecipe:
        """`clip`, with the targets that the loss takes.

        Args:
            num_classes: number of classes.
        """
        if self.loss == "softmax":
            return self.clip
        return dataclasses.replace(
            self.clip, targets=Targets(num_classes, self.temporal)
        )

    def rate(self, step: int) -> float:
        """Learning rate of a step, before any `plateau`."""
        return [rate for start, rate in self.rates if start <= step][-1]

    def with_steps(self, steps: int) -> "TrainingRecipe":
        """A recipe with another number of steps; rate changes move in proportion."""
        share = steps / self.steps
        rates = {round(start * share): rate for start, rate in self.rates}
        return dataclasses.replace(self, steps=steps, rates=tuple(rates.items()))

    def with_learning_rate(self, rate: float) -> "TrainingRecipe":
        """A recipe with another first rate; later rates keep their ratio to it."""
        share = rate / self.rates[0][1]
        rates = tuple((start, value * share) for start, value in self.rates)
        return dataclasses.replace(self, rates=rates)
