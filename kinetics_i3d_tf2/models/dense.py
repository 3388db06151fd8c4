"""Dense logits: where in time their places are, and their values at any frame."""

import numpy as np
from keras import ops

from ..arguments import suggest_arguments
from .architecture import TIME_STRIDE


def count_places(num_frames: int) -> int:
    """Number of places of the dense logits of a clip: `ceil(num_frames / 8) - 1`."""
    return -(-num_frames // TIME_STRIDE) - 1


def place_frames(num_places: int) -> np.ndarray:
    """The frame in the middle of each place of dense logits.

    A place is a window of the head's pool, which spans two features of the last block,
    and these are 8 frames apart.

    Args:
        num_places: length of the axis of time of `InceptionI3d(temporal="dense")`, as
            of `count_places`.

    Returns:
        float64 `(num_places,)`, in frames from the first one: 7.5, 15.5, ...
    """
    return TIME_STRIDE * (np.arange(num_places) + 1) - 0.5


@suggest_arguments
def upsample_dense(logits, frames):
    """Dense logits at frames, between places by linear interpolation.

    Before the middle of the first place and after that of the last, the value is
    theirs. Training and evaluation use it alike.

    Args:
        logits: `(batch, places, ...)`, as of `InceptionI3d(temporal="dense")`; NumPy or
            a tensor.
        frames: places in time, in frames from the first one: an integer n for the
            frames 0 to n - 1, or numbers `(count,)` in any order. At 25 frames per
            second, second s is frame `25 * s`.

    Returns:
        Tensor of the same dtype, `(batch, count, ...)`.

    Raises:
        ValueError: there is no place, or frames are not numbers in one axis.
    """
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) < 3 or logits.shape[1] == 0:
        raise ValueError(
            "logits must be (batch, places, ...) with at least one place. Received: "
            f"{tuple(logits.shape)}"
        )
    wanted = np.arange(frames) if np.ndim(frames) == 0 else np.asarray(frames)
    if wanted.ndim != 1:
        raise ValueError(
            "frames must be a number of frames, or places (count,). Received shape: "
            f"{wanted.shape}"
        )
    num_places = ops.shape(logits)[1]
    position = ops.convert_to_tensor((wanted + 0.5) / TIME_STRIDE - 1, logits.dtype)
    last = ops.cast(num_places - 1, logits.dtype)
    position = ops.clip(position, 0, last)
    lower = ops.cast(ops.floor(position), "int32")
    upper = ops.minimum(lower + 1, num_places - 1)
    shape = (1, -1) + (1,) * (len(logits.shape) - 2)
    share = ops.reshape(position - ops.cast(lower, logits.dtype), shape)
    before, after = (ops.take(logits, places, axis=1) for places in (lower, upper))
    return before + share * (after - before)
