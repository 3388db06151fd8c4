"""Checks of the arguments and inputs of models.

Keras is imported for inputs only: opening a checkpoint checks arguments without it.
"""

from .architecture import ENDPOINTS, HEAD_WINDOW, MIN_FRAMES, MIN_SIZE


def check_width(width: float) -> None:
    """Checks a factor on filters.

    Args:
        width: the factor.

    Raises:
        ValueError: it is not greater than 0, or not finite.
    """
    if not 0 < width < float("inf"):
        raise ValueError(
            "width multiplies the filters and must be greater than 0; 1.0 is the "
            f"published model. Received: {width!r}"
        )


def check_head(num_classes, dropout_rate) -> None:
    """Checks the arguments of a head.

    Args:
        num_classes: number of classes.
        dropout_rate: share of features dropped before the classifier, in [0, 1).

    Raises:
        ValueError: one of them is out of range.
    """
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1. Received: {num_classes!r}")
    if not 0 <= dropout_rate < 1:
        raise ValueError(
            "dropout_rate is the share of features dropped and must be in [0, 1); the "
            f"release trained with 0.5. Received: {dropout_rate!r}"
        )


def check_arguments(num_classes, final_endpoint, num_channels, dropout_rate, width):
    """Checks the arguments of `InceptionI3d`; a wrong one is a ValueError."""
    if final_endpoint not in ENDPOINTS:
        raise ValueError(
            f"final_endpoint must be one of {', '.join(ENDPOINTS)}. "
            f"Received: {final_endpoint!r}"
        )
    if num_channels < 1:
        raise ValueError(f"num_channels must be at least 1. Received: {num_channels!r}")
    check_head(num_classes, dropout_rate)
    check_width(width)


def check_temporal(temporal):
    """Checks what becomes of time in the logits; a wrong value is a ValueError."""
    if temporal not in ("mean", "dense"):
        raise ValueError(
            'temporal must be "mean", one answer for a clip, or "dense", logits at '
            f"each place in time. Received: {temporal!r}"
        )


def check_activation(activation):
    """Checks what makes probabilities of logits; a wrong value is a ValueError."""
    if activation not in ("softmax", "sigmoid"):
        raise ValueError(
            'activation must be "softmax", probabilities whose sum is 1, or "sigmoid", '
            f"one for each class by itself. Received: {activation!r}"
        )


def check_endpoints(endpoints, final_endpoint):
    """Checks a list of endpoints of a model; a wrong one is a ValueError."""
    built = ENDPOINTS[: ENDPOINTS.index(final_endpoint) + 1]
    unknown = [name for name in endpoints if name not in built]
    if unknown or isinstance(endpoints, str) or not endpoints:
        raise ValueError(
            f"endpoints must be a list of names out of {', '.join(built)} (this "
            f"model ends at {final_endpoint}). Received: {endpoints!r}"
        )


def check_floats(inputs) -> None:
    """Checks that clips are no integers, which were not scaled to [-1, 1].

    Args:
        inputs: a clip, or a dict of them.

    Raises:
        ValueError: a clip has integers.
    """
    import keras

    for clip in inputs.values() if isinstance(inputs, dict) else (inputs,):
        dtype = getattr(clip, "dtype", None)
        if dtype is None:
            continue
        dtype = keras.backend.standardize_dtype(dtype)
        if not dtype.startswith(("float", "bfloat")):
            raise ValueError(
                "Clips must be floating point in [-1, 1]. Prepare frames with "
                "kinetics_i3d_tf2.preprocess_input, or put keras.layers.Rescaling("
                f"1 / 127.5, offset=-1) before the model. Received: {dtype}"
            )


def check_rank(shape):
    """Checks that a batch of clips has 5 axes; else it is a ValueError."""
    if len(shape) != 5:
        raise ValueError(
            "A batch of clips has 5 axes, (batch, frames, height, width, channels); "
            f"add the batch axis to a single clip with clip[None]. Received: {shape}"
        )


def check_clip(shape, num_channels, final_endpoint):
    """Checks the static shape of a batch; a wrong one is a ValueError."""
    check_rank(shape)
    _, frames, height, width, channels = shape
    if channels is not None and channels != num_channels:
        raise ValueError(
            f"This model takes clips of {num_channels} channels; build it with "
            f"num_channels={channels} for these (3 is RGB, 2 is optical flow). "
            f"Received: {shape}"
        )
    if final_endpoint not in ("Logits", "Predictions"):
        return
    if frames is not None and frames < MIN_FRAMES:
        raise ValueError(
            f"{final_endpoint} needs clips of at least {MIN_FRAMES} frames; loop short "
            f"ones with kinetics_i3d_tf2.video.transforms.loop. Received: {shape}"
        )
    if any(size is not None and size < MIN_SIZE for size in (height, width)):
        raise ValueError(
            f"{final_endpoint} needs frames of at least {MIN_SIZE} pixels a side; "
            "resize them with kinetics_i3d_tf2.video.transforms.resize_short_side. "
            f"Received: {shape}"
        )


def check_clips(kind, stream, shape, expected):
    """Checks the static shape of a stream's batch; a wrong one is a ValueError."""
    check_rank(shape)
    _, frames, height, width, channels = shape
    if channels not in (None, expected[3]):
        raise ValueError(
            f"The {stream} clips of {kind} have {expected[3]} channels. "
            f"Received: {shape}"
        )
    if None not in (frames, expected[0]) and frames != expected[0]:
        raise ValueError(
            f"The {stream} clips of this {kind} have {expected[0]} frames; cut longer "
            "ones and average the predictions, loop shorter ones with "
            f"kinetics_i3d_tf2.video.transforms.loop. Received: {shape}"
        )
    for size, wanted in zip((height, width), expected[1:3], strict=True):
        if None not in (size, wanted) and size != wanted:
            raise ValueError(
                f"The {stream} clips of {kind} have frames of {wanted} x {wanted} "
                "pixels; resize and crop them with kinetics_i3d_tf2.video.transforms. "
                f"Received: {shape}"
            )


def check_snippet(snippet) -> None:
    """Checks the number of flow frames per RGB frame.

    Args:
        snippet: flow frames.

    Raises:
        ValueError: it is less than 1.
    """
    if snippet < 1:
        raise ValueError(
            "snippet is the number of flow frames per image and must be at least 1; "
            f"the paper's is 10. Received: {snippet!r}"
        )


def check_window(inputs):
    """Rejects clips that the head cannot pool: an empty mean would be NaN."""
    message = (
        f"Logits needs clips of at least {MIN_FRAMES} frames and {MIN_SIZE} pixels a "
        "side; loop or resize them first."
    )
    sizes = inputs.shape[1:4]
    if any(n is not None and n < m for n, m in zip(sizes, HEAD_WINDOW, strict=True)):
        raise ValueError(message)
    import keras

    if None in sizes and keras.backend.backend() == "tensorflow":
        # Only TensorFlow runs graphs with shapes unknown at build time.
        import tensorflow as tf

        tf.debugging.assert_greater_equal(tf.shape(inputs)[1:4], HEAD_WINDOW, message)
