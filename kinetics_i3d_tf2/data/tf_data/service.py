"""tf.data service: its servers, and Python functions that its workers call.

TensorFlow's private names stand here alone: `script_ops._py_funcs._funcs`, tried with
TensorFlow 2.21.
"""

import os
import re
import socket
from collections.abc import Callable, Sequence

_ADDRESS = re.compile(r"grpc://([^/:]+):(\d+)")
_TIMEOUT = 10.0  # seconds


def start_dispatcher(*, port: int = 0, work_dir: str | os.PathLike | None = None):
    """Starts the dispatcher that workers and training connect to.

    Args:
        port: port to listen on; 0 is any.
        work_dir: folder in which it keeps what it needs to be restarted after a crash.

    Returns:
        `tf.data.experimental.service.DispatchServer`; `target` is its address.

    Raises:
        OSError: it cannot listen on the port, or cannot start.
    """
    _check_port(port)
    import tensorflow as tf

    config = tf.data.experimental.service.DispatcherConfig(
        port=port,
        work_dir=None if work_dir is None else os.fspath(work_dir),
        fault_tolerant_mode=work_dir is not None,
    )
    return _start(tf.data.experimental.service.DispatchServer, config)


def start_worker(dispatcher: str, *, address: str = "localhost", port: int = 0):
    """Starts a worker, which reads clips for the training runs of a dispatcher.

    This package and the dataset, under the same paths, must be on its machine.

    Args:
        dispatcher: `grpc://host:port` of the dispatcher.
        address: name by which the other machines reach this one.
        port: port to listen on; 0 is any.

    Returns:
        `tf.data.experimental.service.WorkerServer`.

    Raises:
        OSError: nothing answers at `dispatcher`, or the worker cannot start.
        ValueError: `dispatcher` is not such an address.
    """
    _check_port(port)
    check_dispatcher(dispatcher)
    import tensorflow as tf

    from . import tf_reader

    tf_reader.register()

    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=dispatcher.removeprefix("grpc://"),
        worker_address=f"{address}:%port%",
        port=port,
    )
    return _start(tf.data.experimental.service.WorkerServer, config)


def check_dispatcher(address: str) -> None:
    """Raises if nothing listens at an address; TensorFlow would wait forever.

    Args:
        address: `grpc://host:port`.

    Raises:
        OSError: nothing answers there.
        ValueError: it is not such an address.
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


def register(function: Callable) -> str:
    """Makes a function known to TensorFlow by a name that is equal in all processes.

    `tf.numpy_function` invents a name, which the workers do not know.

    Args:
        function: function of a module, from NumPy arrays to NumPy arrays.

    Returns:
        The name.
    """
    from tensorflow.python.ops import script_ops

    name = f"{function.__module__}.{function.__name__}"
    script_ops._py_funcs._funcs[name] = function
    return name


def call_by_name(function: Callable, arguments: Sequence, dtypes: Sequence) -> list:
    """Calls a function in a graph, also of a worker that has called `register`.

    Args:
        function: as for `register`.
        arguments: tensors.
        dtypes: of the results.

    Returns:
        Tensors of unknown shape.
    """
    import tensorflow as tf

    name = register(function)
    return tf.raw_ops.PyFuncStateless(input=arguments, token=name, Tout=dtypes)


def _check_port(port):
    """Raises if a port is in use: gRPC would share it with the other server."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise OSError(f"--port={port}: {error.strerror}") from error


def _start(server, config):
    import tensorflow as tf

    try:
        return server(config)
    except tf.errors.OpError as error:
        raise OSError(f"cannot start: {error.message}") from error
