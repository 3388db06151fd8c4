"""A server of a SavedModel that speaks as TensorFlow Serving does, on this machine.

gRPC out of tensorflow-serving-api's stubs and REST beside it, with the errors of
TensorFlow Serving (predict_util.cc, http_server.cc, json_tensor.cc).
"""

import base64
import contextlib
import json
import re
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import grpc
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_HTTP = {"NOT_FOUND": 404, "DEADLINE_EXCEEDED": 504, "UNIMPLEMENTED": 501}
_BAD_REQUEST = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE")
_STATUSES = {code.value[0]: code for code in grpc.StatusCode}
_ROUTE = re.compile(r"/v1/models/([^/:]+):predict")


class Addresses(NamedTuple):
    """Host and port of either protocol."""

    grpc: str
    rest: str


@contextlib.contextmanager
def serve(saved_model_dir, *, name="i3d", largest_message=-1):
    """Serves the newest version below a folder until the block ends.

    Args:
        saved_model_dir: folder with a folder a version, as TensorFlow Serving wants it.
        name: of the model.
        largest_message: bytes of a gRPC request that is still taken; -1 is any.

    Yields:
        The `Addresses`.
    """
    model = Model(saved_model_dir, name)
    limit = [("grpc.max_receive_message_length", largest_message)]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=limit)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Service(model), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    handler = type("Handler", (_Handler,), {"model": model})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield Addresses(f"127.0.0.1:{port}", f"127.0.0.1:{http.server_port}")
        finally:
            http.shutdown()
            thread.join()
            server.stop(None).wait()


def predict(addresses, signature, inputs):
    """Asks over gRPC what a careful client would not.

    Args:
        addresses: the `Addresses`; the model is called "i3d".
        signature: its name.
        inputs: arrays by name, sent as they are.

    Returns:
        The outputs, arrays by name.

    Raises:
        grpc.RpcError: the answer is an error.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "i3d"
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(addresses.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = stub.Predict(request, timeout=100).outputs
    return {key: tf.make_ndarray(output) for key, output in outputs.items()}


class Model:
    """A SavedModel and its name, run by a session as TensorFlow Serving runs it.

    A session's callable takes arrays of any shape, whatever the signature tells, so
    that it is the graph that answers; Python's functions would refuse them before.
    """

    def __init__(self, folder, name):
        versions = [path for path in Path(folder).iterdir() if path.name.isdecimal()]
        newest = max(versions, key=lambda path: int(path.name))
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(
                self._session, [tf.saved_model.SERVING], str(newest)
            )
        self._signatures = {
            key: signature
            for key, signature in loaded.signature_def.items()
            if signature.method_name == tf.saved_model.PREDICT_METHOD_NAME
        }
        self._run = {key: self._callable(s) for key, s in self._signatures.items()}
        self._name = name

    def _callable(self, signature):
        """Function of the inputs to the outputs, both in the signature's order."""
        options = config_pb2.CallableOptions(
            feed=[tensor.name for tensor in signature.inputs.values()],
            fetch=[tensor.name for tensor in signature.outputs.values()],
        )
        return self._session._make_callable_from_options(options)

    def signature(self, name, signature):
        """Name of the signature that is asked for, and the types of its inputs."""
        if name != self._name:
            raise tf.errors.NotFoundError(
                None, None, f"Servable not found for request: Latest({name})"
            )
        signature = signature or "serving_default"
        if signature not in self._signatures:
            raise tf.errors.FailedPreconditionError(
                None, None, f'Serving signature key "{signature}" not found.'
            )
        inputs = self._signatures[signature].inputs
        return signature, {key: tf.as_dtype(i.dtype) for key, i in inputs.items()}

    def predict(self, name, signature, inputs):
        """Outputs of arrays by name, as arrays by name."""
        signature, types = self.signature(name, signature)
        if inputs.keys() != types.keys():
            extra, missing = inputs.keys() - types.keys(), types.keys() - inputs.keys()
            raise tf.errors.InvalidArgumentError(
                None,
                None,
                f"input size does not match signature: {len(inputs)}!={len(types)}. "
                f"Sent extra: {{{','.join(extra)}}}. "
                f"Missing but required: {{{','.join(missing)}}}.",
            )
        values = self._run[signature](*(inputs[key] for key in types))
        return dict(zip(self._signatures[signature].outputs, values, strict=True))


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model):
        self._model = model

    def Predict(self, request, context):  # noqa: N802
        spec = request.model_spec
        try:
            inputs = {
                key: tf.make_ndarray(value) for key, value in request.inputs.items()
            }
            outputs = self._model.predict(spec.name, spec.signature_name, inputs)
        except tf.errors.OpError as error:
            context.abort(_STATUSES[error.error_code], error.message[:1024])
        response = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, answer = 200, self._answer(body)
        except tf.errors.OpError as error:
            name = _STATUSES[error.error_code].name
            status = 400 if name in _BAD_REQUEST else _HTTP.get(name, 500)
            answer = {"error": error.message}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body):
        route = _ROUTE.fullmatch(self.path)
        try:
            if route is None:
                raise ValueError(f"Malformed request: POST {self.path}")
            request = json.loads(body)
            name, signature = route[1], request.get("signature_name", "")
            _, types = self.model.signature(name, signature)
            if "instances" in request:  # Rows: an object each, or the one input.
                rows = request["instances"]
                if not (isinstance(rows[0], dict) and rows[0].keys() <= types.keys()):
                    (only,) = types
                    rows = [{only: row} for row in rows]
                columns = {key: [row[key] for row in rows] for key in rows[0]}
            else:
                columns = request["inputs"]
            inputs = {
                key: tf.constant(_decoded(value), types[key]).numpy()
                for key, value in columns.items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise tf.errors.InvalidArgumentError(None, None, str(error)) from error
        outputs = self.model.predict(name, signature, inputs)
        outputs = {key: _text(value.tolist()) for key, value in outputs.items()}
        if "inputs" in request:
            return {"outputs": _unless_only(outputs)}
        rows = zip(*outputs.values(), strict=True)
        keys = outputs.keys()
        return {
            "predictions": [
                _unless_only(dict(zip(keys, row, strict=True))) for row in rows
            ]
        }

    def log_message(self, *_):
        """Keeps quiet."""


def _unless_only(outputs):
    """A model's only output goes without its name."""
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def _decoded(value):
    """Lists with their base64 objects as bytes."""
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _text(value):
    """Lists with their bytes as text."""
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value
