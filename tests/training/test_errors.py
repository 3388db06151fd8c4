"""TensorFlow's errors in words that help."""

import pytest
import tensorflow as tf

from kinetics_i3d_tf2.training.errors import explained

READER = """ValueError: 2 of 8 clips cannot be read, the last is a.mp4: no video
Traceback (most recent call last):
  [[{{node EagerPyFunc}}]]"""
ASSERTION = "assertion failed: [the label 7 is out of range: there are 2 classes]"


@pytest.mark.parametrize(
    ("kind", "message", "workers", "expected", "text"),
    [
        ("InvalidArgumentError", READER, 1, ValueError, "2 of 8 clips cannot be read"),
        ("InvalidArgumentError", ASSERTION, 2, ValueError, "the label 7 is out of"),
        ("UnavailableError", "Connection reset", 2, OSError, "another worker was lost"),
        ("UnavailableError", "Connection reset", 1, ValueError, "TensorFlow: Connect"),
        ("UnknownError", "OSError: no disk", 2, ValueError, "no disk"),
        (
            "ResourceExhaustedError",
            "OOM when allocating tensor",
            1,
            MemoryError,
            "gradient_accumulation_steps = 2, 4",
        ),
    ],
    ids=["reader", "assertion", "lost", "alone", "worker", "memory"],
)
def test_the_reason_is_found(kind, message, workers, expected, text):
    error = getattr(tf.errors, kind)(None, None, message)
    found = explained(error, workers)
    assert type(found) is expected
    assert text in str(found)
    assert "\n" not in str(found)
