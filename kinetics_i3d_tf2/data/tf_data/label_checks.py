"""Labels are checked before a clip is read, and in records while they are."""

from collections.abc import Sequence

import tensorflow as tf

from ..clip_recipe import ClipRecipe
from ..clips import NO_LABEL, Clip
from ..records.tfrecord import Record


def check_range(label: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Passes labels on that are in range, for a dataset's `map`.

    The loss of a label out of range is NaN or noise on some devices.

    Args:
        label: int `(batch,)`.
        num_classes: number of classes.

    Returns:
        `label`.

    Raises:
        tf.errors.InvalidArgumentError: while reading, if a label is out of range.
    """
    worst = tf.where(
        tf.reduce_min(label) < 0, tf.reduce_min(label), tf.reduce_max(label)
    )
    message = tf.strings.format(
        "the label {} is out of range: there are {} classes", (worst, num_classes)
    )
    is_class = (worst >= 0) & (worst < tf.constant(num_classes, label.dtype))
    with tf.control_dependencies([tf.debugging.Assert(is_class, [message])]):
        return tf.identity(label)


def check_labels(sources: Sequence[Clip | Record], recipe: ClipRecipe) -> None:
    """Checks that all clips have one label or, for `recipe.targets`, that they fit.

    Raises:
        ValueError: clips have no label, or several, or a label is out of range.
    """
    clips = [source for source in sources if isinstance(source, Clip)]
    if recipe.targets is not None:
        indices = {i.index for clip in clips for i in clip.all_labels}
        outside = indices - {*range(recipe.targets.num_classes)}
        if outside:
            raise ValueError(
                f"the label {min(outside)} is out of range: there are "
                f"{recipe.targets.num_classes} classes"
            )
        return
    several = [clip for clip in clips if clip.intervals]
    if several:
        raise ValueError(
            f"{len(several)} clips have labels with times, of which there may be "
            f"several, the first is {several[0].path}; train with loss=sigmoid, or set "
            "ClipRecipe(targets=...)"
        )
    bad = [clip for clip in clips if clip.index == NO_LABEL]
    if bad:
        raise ValueError(f"{len(bad)} clips have no label, the first is {bad[0].path}")
