"""TensorFlow's errors during training, as Python's own with one line of text."""

import re

import tensorflow as tf

# What a collective operation may raise when another worker is gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
    tf.errors.DeadlineExceededError,
)
# Where an error begins that Python or an assertion raised inside of a graph.
_REASONS = (r"(?:ValueError|OSError): (.+)", r"assertion failed: \[b?'?([^\]']+)")


def explained(error: tf.errors.OpError, workers: int) -> Exception:
    """Finds the reason in a TensorFlow error.

    Args:
        error: raised by a training step or its data.
        workers: number of processes that train together.

    Returns:
        A MemoryError, OSError or ValueError to raise.
    """
    message = str(error.message)
    if isinstance(error, tf.errors.ResourceExhaustedError):
        found = re.search(r"MemoryError: (.+)", message)  # A reader's.
        if found:
            return MemoryError(found[1])
        return MemoryError(
            "the device's memory is too small for this batch; split it with "
            "gradient_accumulation_steps = 2, 4, ..., or lower batch_size or num_frames"
        )
    for pattern in _REASONS:
        found = re.search(pattern, message)
        if found:
            return ValueError(found[1])
    if workers > 1 and isinstance(error, _LOST):
        return OSError(
            "another worker was lost; start all of them again, and training resumes "
            "from the newest checkpoint"
        )
    return ValueError(f"TensorFlow: {message}")
