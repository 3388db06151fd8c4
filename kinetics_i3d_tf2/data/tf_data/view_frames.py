"""Which frames of a video its views show, in graphs."""

import tensorflow as tf

from ..clip_recipe import ClipRecipe


def num_windows(available, recipe: ClipRecipe):
    """Number of windows that cover a whole video.

    Args:
        available: number of frames that every stream has.
        recipe: streams, and frames of a window.

    Returns:
        Scalar tensor, at least 1.
    """
    # A video has one more frame than fields of flow.
    frames = available + ("flow" in recipe.streams)
    return tf.maximum(frames // recipe.num_frames, 1)


def whole_frames(stream: str, available, recipe: ClipRecipe) -> tf.Tensor:
    """Frame indices of a video that the model sees at once.

    Args:
        stream: "rgb" or "flow".
        available: number of frames of that stream, int or scalar tensor.
        recipe: RGB's stride and the minimum number of frames.

    Returns:
        int32 `(frames,)`.
    """
    length = tf.maximum(available, recipe.min_frames)
    return tf.range(0, length, recipe.stride(stream)) % available


def frame_numbers(stream: str, available, *, recipe: ClipRecipe, clips):
    """Frame indices of the temporal clips of a video.

    Args:
        stream: "rgb" or "flow".
        available: number of frames that every stream has, int or scalar tensor; short
            videos are looped, both streams in step.
        recipe: length of a clip and RGB's stride.
        clips: number of clips, int or scalar tensor: spread evenly from the first frame
            to the last; a single one is in the middle.

    Returns:
        int32 `(clips, frames)`.
    """
    late = tf.cast(tf.maximum(available - recipe.num_frames, 0), tf.float64)
    first = tf.cast(spread(tf.range(clips), clips) * late, tf.int32)
    numbers = tf.range(0, recipe.num_frames, recipe.stride(stream))
    return (first[:, None] + numbers) % available


def spread(number, count):
    """Position of one of `count` things that are spread evenly over [0, 1].

    Args:
        number: from 0 on.
        count: how many there are; a single one is in the middle.

    Returns:
        float64 tensor.
    """
    number, count = tf.cast(number, tf.float64), tf.cast(count, tf.float64)
    middle = tf.constant(0.5, tf.float64)
    return tf.where(count == 1, middle, number / tf.maximum(count - 1, 1))
