"""TensorFlow's errors of writing files, as Python's own."""

import contextlib
import os
import re
from collections.abc import Iterator


@contextlib.contextmanager
def as_write_errors(path: str | os.PathLike) -> Iterator[None]:
    """Turns errors of TensorFlow's operations in a block into errors of writing.

    Args:
        path: the file or folder that the block writes.

    Raises:
        OSError: with the name of the file, and the reason without the temporary file.
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        message = str(error.message).strip().splitlines()[-1]
        why = re.sub(r" \[Op:.*\]$", "", message.rpartition("; ")[2])
        raise OSError(f"{path}: cannot be written: {why}") from error
