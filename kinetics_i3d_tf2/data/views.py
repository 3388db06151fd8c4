"""Views of whole clips: cut, scaled for the model, mirrored; in graphs and eagerly.

A clip is a dict of streams as `samples` gives them, a view a dict of the same streams.
"""

import tensorflow as tf

from .clip_recipe import ClipRecipe


def num_views(
    clip: dict[str, tf.Tensor],
    *,
    recipe: ClipRecipe,
    views: tuple[int, int] | None,
):
    """How many views there are of a whole clip.

    Args:
        clip: streams `(frames, ...)`.
        recipe: whether windows are seen, and their frames.
        views: temporal clips and spatial crops, or None.

    Returns:
        int, or of windows a scalar tensor: as many as do not overlap in the video, at
        least one.
    """
    if views is not None:
        return views[0] * views[1]
    return _num_windows(clip, recipe) if recipe.windowed else 1


def num_windows(available, recipe: ClipRecipe):
    """How many windows of a recipe a video is seen as, when it is seen as a whole.

    Args:
        available: frames that every stream has.
        recipe: the recipe.

    Returns:
        Scalar tensor, at least 1.
    """
    # There is one field of flow less than there are frames of the video.
    frames = available + ("flow" in recipe.streams)
    return tf.maximum(frames // recipe.num_frames, 1)


def cut(
    clip: dict[str, tf.Tensor],
    view,
    *,
    recipe: ClipRecipe,
    views: tuple[int, int] | None,
) -> dict[str, tf.Tensor]:
    """One view of a whole clip.

    Args:
        clip: streams `(frames, height, width, channels)`, uint8 or float32, of
            `recipe.short_side`.
        view: number of the view, from 0; crops of a clip come one after another.
        recipe: frames of a view, and its size.
        views: temporal clips and spatial crops: clips evenly from the first frame to
            the last (one: from the middle), crops along the long side (one: the
            centre). None is the central crop of all frames: of windows from the first
            frame to the last, or at once, short clips looped to the least that the
            model takes.

    Returns:
        Streams `(frames, size, size, channels)`; of RGB one frame out of
        `recipe.rgb_stride`.
    """
    available = tf.shape(clip[recipe.streams[-1]])[0]
    if views is None and not recipe.windowed:
        # Joint: RGB has one frame more, and all are used.
        share, numbers = 0.5, {}
        for name, stream in clip.items():
            numbers[name] = whole_frames(name, tf.shape(stream)[0], recipe)
    else:
        clips, crops = views or (_num_windows(clip, recipe), 1)
        share = _share(view % crops, crops)
        numbers = {
            name: frame_numbers(name, available, recipe=recipe, clips=clips)[
                view // crops
            ]
            for name in clip
        }
    return {
        name: tf.gather(_crop(stream, recipe.crop_size, share), numbers[name])
        for name, stream in clip.items()
    }


def whole_frames(stream: str, available, recipe: ClipRecipe) -> tf.Tensor:
    """Which frames are seen of a video that is seen at once.

    Args:
        stream: "rgb" or "flow".
        available: frames of that stream, int or scalar tensor.
        recipe: RGB's stride, and what short videos are looped to.

    Returns:
        int32 `(frames,)`.
    """
    length = tf.maximum(available, recipe.min_frames)
    return tf.range(0, length, recipe.stride(stream)) % available


def frame_numbers(stream: str, available, *, recipe: ClipRecipe, clips):
    """Which frames of a video are in its temporal clips.

    Args:
        stream: "rgb" or "flow".
        available: frames that every stream has, int or scalar tensor; fewer than a clip
            needs are looped, both streams in step.
        recipe: frames of a clip, and RGB's stride.
        clips: how many, int or scalar tensor: evenly from the first frame to the last;
            one is from the middle.

    Returns:
        int32 `(clips, frames)`.
    """
    late = tf.cast(tf.maximum(available - recipe.num_frames, 0), tf.float64)
    first = tf.cast(_share(tf.range(clips), clips) * late, tf.int32)
    numbers = tf.range(0, recipe.num_frames, recipe.stride(stream))
    return (first[:, None] + numbers) % available


def cut_all(clips: dict[str, tf.Tensor], recipe: ClipRecipe):
    """All that a model sees of a batch of videos, when it sees them whole.

    Args:
        clips: streams `(batch, frames, height, width, channels)`, in the size that the
            model takes.
        recipe: what is seen.

    Returns:
        Streams of the same kind, windows of a video one after another in the batch; and
        how many windows a video has, int or scalar tensor.
    """
    if not recipe.windowed:
        whole = {
            name: tf.gather(
                stream, whole_frames(name, tf.shape(stream)[1], recipe), axis=1
            )
            for name, stream in clips.items()
        }
        return whole, 1
    available = tf.shape(clips[recipe.streams[-1]])[1]
    count = num_windows(available, recipe)
    windows = {}
    for name, stream in clips.items():
        numbers = frame_numbers(name, available, recipe=recipe, clips=count)
        cut = tf.gather(stream, numbers, axis=1)
        windows[name] = tf.reshape(cut, tf.concat([[-1], tf.shape(cut)[2:]], 0))
    return windows, count


def normalize(view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Scales 8-bit streams, RGB or coded flow, to the model's [-1, 1].

    Args:
        view: streams, uint8 or float32.

    Returns:
        Streams of the same shape, float32; those that were float32 as they are.
    """
    return {
        # x / 127.5 - 1 in one pass over the memory: five times faster than a cast, a
        # division and a subtraction.
        name: tf.quantization.dequantize(tf.bitcast(stream, tf.quint8), -1.0, 1.0)
        if stream.dtype == tf.uint8
        else stream
        for name, stream in view.items()
    }


def mirror(view: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Mirrors normalised streams left to right: places move, dx changes its sign.

    Args:
        view: float32 streams `(..., width, channels)`, "rgb" and "flow".

    Returns:
        Streams of the same shape.
    """
    signs = {"rgb": (1.0, 1.0, 1.0), "flow": (-1.0, 1.0)}
    return {
        name: tf.reverse(stream, [-2]) * tf.constant(signs[name])
        for name, stream in view.items()
    }


def _share(number, count):
    """Place of one of `count` things that are spread evenly over 0 to 1."""
    number, count = tf.cast(number, tf.float64), tf.cast(count, tf.float64)
    middle = tf.constant(0.5, tf.float64)
    return tf.where(count == 1, middle, number / tf.maximum(count - 1, 1))


def _num_windows(clip, recipe):
    return num_windows(tf.shape(clip[recipe.streams[-1]])[0], recipe)


def _crop(clip, size, share):
    """A square at a share of the way along the long side, centred in the short."""
    height, width = tf.shape(clip)[1], tf.shape(clip)[2]

    def start(length, other):
        middle = (length - size) // 2
        along = tf.cast(tf.cast(length - size, tf.float64) * share, tf.int32)
        return tf.where(length > other, along, middle)

    top, left = start(height, width), start(width, height)
    clip = clip[:, top : top + size, left : left + size]
    return tf.ensure_shape(clip, (None, size, size, clip.shape[-1]))
