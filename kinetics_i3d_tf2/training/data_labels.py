"""What a run reports about the labels of its clips before it begins."""

from absl import logging

from ..data.clips import Clip
from .options import TrainingData
from .recipe import TrainingRecipe


def report_labels(recipe: TrainingRecipe, data: TrainingData) -> None:
    """Logs what may be a mistake in the labels of a training on several at once.

    Args:
        recipe: the recipe.
        data: the clips; nothing is known about those of records.
    """
    if recipe.loss == "softmax":
        return
    for use in ("training", "validation"):
        clips = [clip for clip in getattr(data, use) if isinstance(clip, Clip)]
        empty = [clip for clip in clips if not clip.all_labels]
        if empty:
            logging.info(
                "%s: %d of %d clips have no labels; all classes are absent from them",
                use, len(empty), len(clips),
            )  # fmt: skip
    clips = [clip for clip in data.training if isinstance(clip, Clip)]
    videos = {clip.path for clip in clips}
    if len(videos) < len(clips) and not any(clip.intervals for clip in clips):
        logging.warning(
            "%d clips with one label each are parts of %d videos. If they are labels "
            "of these videos, read them with --dataset=intervals",
            len(clips), len(videos),
        )  # fmt: skip
