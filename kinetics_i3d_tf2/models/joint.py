"""The sum of the two streams."""

from keras import ops

from ..arguments import suggest_arguments


@suggest_arguments
def two_stream_logits(rgb_logits, flow_logits):
    """Joint logits of the two streams: their sum, with equal weight.

    Args:
        rgb_logits: `(..., num_classes)`, of the RGB stream.
        flow_logits: the same shape, of the Flow stream.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: the shapes differ.

    Source: `evaluate_sample.py` of the release.
    """
    rgb_logits = ops.convert_to_tensor(rgb_logits)
    flow_logits = ops.convert_to_tensor(flow_logits)
    if rgb_logits.shape != flow_logits.shape:
        raise ValueError(
            "The logits of the two streams must have one shape, from models of the "
            f"same classes. Received: RGB {tuple(rgb_logits.shape)}, "
            f"Flow {tuple(flow_logits.shape)}"
        )
    return rgb_logits + flow_logits


@suggest_arguments
def two_stream_probabilities(rgb_logits, flow_logits):
    """Joint class probabilities: the softmax of `two_stream_logits`.

    Args:
        rgb_logits: logits of the RGB stream, `(..., num_classes)`.
        flow_logits: logits of the Flow stream, of the same shape.

    Returns:
        Tensor of the same shape; the last axis sums to 1.

    Raises:
        ValueError: the shapes differ.
    """
    return ops.softmax(two_stream_logits(rgb_logits, flow_logits), axis=-1)
