"""The address of a tf.data service dispatcher."""

import re
import socket

_ADDRESS = re.compile(r"grpc://([^/:]+):(\d+)")
_TIMEOUT = 10.0  # seconds


def check_dispatcher(address: str) -> None:
    """Raises when nothing listens at an address; TensorFlow would wait without end.

    Args:
        address: `grpc://host:port`.

    Raises:
        OSError: nothing answers there.
        ValueError: it is no such address.
    """
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise ValueError(
            f"A dispatcher's address is grpc://host:port. Received: {address!r}"
        )
    try:
        socket.create_connection((match[1], int(match[2])), _TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise OSError(
            f"{address}: nothing answers there ({error}); start the dispatcher first: "
            "i3d data-service --role=dispatcher"
        ) from error
