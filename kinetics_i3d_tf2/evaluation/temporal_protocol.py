"""How a model is run over the time of a video in which several labels hold."""

import dataclasses
from typing import NamedTuple

import numpy as np

from ..arguments import suggest_arguments
from ..data.clip_recipe import ClipRecipe
from ..data.clips import Clip
from ..data.records.tfrecord import Record
from ..inference import dense_scores, over_time
from ..inference.classifier import Classifier
from ..inference.labelling import LabellingOptions
from . import localization


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class TemporalProtocol:
    """How a video is scored over time.

    Attributes:
        window: seconds of the windows that are scored one after another; None scores
            each place in time, 8 frames, by dense logits.
        stride: seconds from one window to the next; by default `window`.
        recipe: how frames are prepared; by default as `Classifier` does.
        batch_size: windows that go through the model at once.

    Raises:
        ValueError: a window is too short, or there is a stride without windows.
    """

    window: float | None = None
    stride: float | None = None
    recipe: ClipRecipe | None = None
    batch_size: int = 1

    def __post_init__(self):
        if self.window is not None:
            over_time.windows_of_seconds(self.window, self.stride)
        elif self.stride is not None:
            raise ValueError(
                f"stride is for windows; set window too. Received: {self.stride:g}"
            )


class TemporalScores(NamedTuple):
    """Scores of a video.

    Attributes:
        length: seconds of the video that were read.
        moments: float `(NUM_MOMENTS, num_classes)`, probabilities at
            `localization.moments`.
        video: float `(num_classes,)`, the largest probability of all places or windows.
        damage: what of the video is damaged or missing.
    """

    length: float
    moments: np.ndarray
    video: np.ndarray
    damage: str


def score(
    classifier: Classifier, source: Clip | Record, protocol: TemporalProtocol
) -> TemporalScores:
    """Scores a video of any length over time.

    Args:
        classifier: the models.
        source: the video, its span or record.
        protocol: windows, or dense logits.

    Returns:
        Its scores.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read, or logits are not finite.
    """
    options = LabellingOptions(recipe=protocol.recipe, batch_size=protocol.batch_size)
    damage = []
    if protocol.window is None:
        found = dense_scores.dense_over_time(
            classifier, source, options, on_damage=damage.append
        )
    else:
        found = over_time.over_time(
            classifier,
            source,
            protocol.window,
            protocol.stride,
            options,
            on_damage=damage.append,
        )
    found = list(found)
    spans = np.array([place.seconds for place in found]) - found[0].seconds[0]
    logits = np.stack([place.logits for place in found])
    if not np.isfinite(logits).all():
        raise ValueError(
            "the model gives NaN or infinity; its checkpoint is of a training that "
            "diverged, or its data are out of range"
        )
    length = float(spans[-1, 1])
    seconds = localization.moments(length)
    probabilities = np.stack([place.probabilities for place in found])
    if protocol.window is None:
        at = localization.dense_at(logits, seconds)
        at = np.stack(
            [dataclasses.replace(found[0], logits=row).probabilities for row in at]
        )
    else:
        at = localization.windows_at(probabilities, spans, seconds)
    return TemporalScores(length, at, probabilities.max(0), " ".join(map(str, damage)))
