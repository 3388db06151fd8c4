"""The state of a training run, saved with every checkpoint."""

import dataclasses

# Names that older runs have in state.json.
_RENAMED = {"least_loss": "lowest_val_loss", "rounds_waited": "checkpoints_waited"}


@dataclasses.dataclass
class RunState:
    """What a run needs to resume, besides weights and momentum.

    A log row is a dict of numbers: "step", "loss", of a softmax "top1",
    "learning_rate", "clips_per_second" and, with a validation split, "val_loss" and
    "val_top1" or, of a sigmoid, "val_map".

    Attributes:
        step: number of steps done.
        rate_scale: factor on the recipe's learning rate; a plateau lowers it.
        lowest_val_loss: lowest validation loss so far, None before the first.
        checkpoints_waited: checkpoints since the validation loss last fell or the rate
            was last lowered.
        pending: log row of a checkpoint that is saved and not yet validated.
        best: log row of the best checkpoint.
        loss_scale: of mixed_float16: steps since the scale last grew, and the scale.
        history: log rows of all checkpoints.
    """

    step: int = 0
    rate_scale: float = 1.0
    lowest_val_loss: float | None = None
    checkpoints_waited: int = 0
    pending: dict | None = None
    best: dict | None = None
    loss_scale: list[float] | None = None
    history: list[dict] = dataclasses.field(default_factory=list)

    @classmethod
    def from_json(cls, values: dict) -> "RunState":
        """Makes a state of what `dataclasses.asdict` gave, also of older versions."""
        return cls(
            **{_RENAMED.get(name, name): value for name, value in values.items()}
        )

    def update_best(self, row: dict) -> None:
        """Keeps a validated log row if it beats the best.

        It is compared by top-1 or mean average precision, then by loss.
        """
        best = self.best
        if best is None or _rank(row) > _rank(best):
            self.best = row

    def lower_rate_on_plateau(self, val_loss: float, patience: int) -> bool:
        """Divides the learning rate by 10 when the validation loss stops falling.

        Args:
            val_loss: validation loss of a new checkpoint.
            patience: checkpoints in a row that may not lower the loss; 0 keeps the
                rate as it is.

        Returns:
            Whether the rate was lowered.

        Source: paper, section 2.5.
        """
        if self.lowest_val_loss is None or val_loss < self.lowest_val_loss:
            self.lowest_val_loss = val_loss
            self.checkpoints_waited = 0
            return False
        self.checkpoints_waited += 1
        if not patience or self.checkpoints_waited < patience:
            return False
        self.rate_scale /= 10
        self.checkpoints_waited = 0
        return True


def _rank(row):
    score = row["val_top1"] if "val_top1" in row else row["val_map"]
    return score, -row["val_loss"]
