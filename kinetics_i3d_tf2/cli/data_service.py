r"""Runs tf.data service: decoding and flow for training, on other machines.

Start one dispatcher, and a worker on each machine; each must have this package, and
the videos or records under the same paths:
  i3d data-service --role=dispatcher --port=5050
  i3d data-service --role=worker --dispatcher=HOST:5050 \
    --address=NAME_OF_THIS_MACHINE

Training then takes its batches from grpc://HOST:5050.
"""

import threading

from absl import flags, logging

from ..data.tf_data import service
from . import program

_ROLE = flags.DEFINE_enum(
    "role", None, ["dispatcher", "worker"], "What to run.", required=True
)
_PORT = flags.DEFINE_integer("port", 0, "Port to listen on; 0 is any.", 0, 65535)
_DISPATCHER = flags.DEFINE_string(
    "dispatcher", None, "host:port of the worker's dispatcher."
)
_ADDRESS = flags.DEFINE_string(
    "address", "localhost", "Name by which others reach this worker's machine."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir",
    None,
    "Folder where a dispatcher keeps what it needs to be started again after a crash.",
)


def main(argv):
    """Runs a server until it is stopped."""
    program.reject_positional(argv)
    if (_ROLE.value == "worker") != (_DISPATCHER.value is not None):
        raise ValueError("--dispatcher=host:port is for --role=worker, which needs it")
    with program.quiet_tensorflow():
        import tensorflow as tf  # noqa: F401
    if _ROLE.value == "dispatcher":
        server = service.start_dispatcher(port=_PORT.value, work_dir=_WORK_DIR.value)
        place = server.target
    else:
        dispatcher = "grpc://" + _DISPATCHER.value.removeprefix("grpc://")
        server = service.start_worker(
            dispatcher, address=_ADDRESS.value, port=_PORT.value
        )
        place = f"worker of {_DISPATCHER.value}"
    logging.info("Ready: %s", place)
    threading.Event().wait()
