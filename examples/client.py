r"""Classifies videos with TensorFlow Serving.

  python examples/client.py --video=clip.mp4 --server=localhost:8500
  python examples/client.py --video=clip.mp4 --server=localhost:8501 --protocol=rest

Many videos, files or folders or patterns; prints the table that i3d classify prints:
  python examples/client.py videos/ more/*.mp4 --server=localhost:8500 > labels.csv

The server runs a SavedModel that i3d export wrote. The video is read at 25 frames per
second, resized to a short side of 256 pixels and sent in one request: as JPEG images,
about ten times smaller than pixels, or, with --signature=serving_default, as pixels.
REST writes pixels as text; prefer JPEG there.

Print the body of a REST request, for other clients such as curl:
  python examples/client.py --video=clip.mp4 --print_request |
    curl --data @- http://localhost:8501/v1/models/i3d:predict

Prints the top classes of --video, each with its probability and its logit. The exit
status is 0, or 2 with one line on standard error if the video or the server fails.
"""

import base64
import json
import re
import sys

import numpy as np
import requests
from absl import flags, logging

from kinetics_i3d_tf2.cli import program
from kinetics_i3d_tf2.data import sources
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import image_coding
from kinetics_i3d_tf2.inference.label_tables.rows import LabelCsv, make_row
from kinetics_i3d_tf2.utils.errors import reason
from kinetics_i3d_tf2.video import reader, transforms

_INPUTS = {"encoded_frames": "image_bytes", "serving_default": "frames"}
_PORTS = {"grpc": 8500, "rest": 8501}  # TensorFlow Serving's own.
# Position in the graph, around the reason of an error.
_NODES = re.compile(r"\{\{function_node \S+\}\} |\n\t \[\[.*", re.DOTALL)

_ASSERTION = re.compile(r"assertion failed: \[(.*)\] (\[.*)", re.DOTALL)

_VIDEO = flags.DEFINE_string(
    "video", None, "Video file to classify, of any format that FFmpeg reads."
)
_START = flags.DEFINE_float("start", 0, "Start in the video, in seconds.", 0)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames", 250, "Frames to send, at 25 per second; 0 sends all.", 0
)
_PROTOCOL = flags.DEFINE_enum("protocol", "grpc", list(_PORTS), "Protocol to use.")
_SERVER = flags.DEFINE_string(
    "server",
    None,
    "Host and port, by default localhost:8500 for gRPC and localhost:8501 for REST; "
    "for REST also a URL (https://...).",
)
_MODEL = flags.DEFINE_string("model", "i3d", "Name of the model on the server.")
_SIGNATURE = flags.DEFINE_enum(
    "signature",
    "encoded_frames",
    ["encoded_frames", "serving_default"],
    "Send frames as JPEG images, or as pixels.",
)
_TOP = flags.DEFINE_integer(
    "top", 5, "Classes to print, at most those that the model was exported with.", 1
)
_TIMEOUT = flags.DEFINE_float(
    "timeout",
    600,
    "Seconds to wait for the answer. Optical flow takes about 0.3 s per frame on "
    "a CPU. For REST, the server has its own limit (--rest_api_timeout_in_ms, 30 s).",
    0.001,
)
_PRINT_REQUEST = flags.DEFINE_boolean(
    "print_request", False, "Print the JSON of the REST request instead of sending it."
)


def main(argv):
    """Sends the videos and prints the answers."""
    program.reject_values_of_switches(argv)
    if bool(argv[1:]) == bool(_VIDEO.value):
        raise ValueError("--video names the file to classify, or arguments many")
    if argv[1:]:
        print_table(sources.find(argv[1:]))
    elif _PRINT_REQUEST.value:
        print(as_json(request_of(read_frames(Clip(_VIDEO.value)))))
    else:
        print_answer(ask(read_frames(Clip(_VIDEO.value))))


def print_table(inputs):
    """Prints the table of many videos; one that fails is a row with its reason."""
    table, failed = LabelCsv(_TOP.value), 0
    sys.stdout.write(table.header)
    for each in inputs:
        row = make_row(each.source.path, 0, None)
        try:
            frames = read_frames(each.source)
            answer = zip(*columns_of(ask(frames)), strict=True)
        except ValueError as error:  # Of the video; an OSError is the server's.
            failed += 1
            row["error"] = reason(error, each.source.path)
        else:
            start = each.source.start or _START.value
            row |= {"start": round(start, 3), "frames": len(frames)}
            row["end"] = round(start + len(frames) / reader.FRAME_RATE, 3)
            row["labels"] = [
                {"label": label, "probability": p} for p, _, label in answer
            ]
        sys.stdout.write(table.encode(table.convert(row)))
        sys.stdout.flush()
    logging.info("%d of %d videos are labelled", len(inputs) - failed, len(inputs))


def read_frames(clip):
    """Reads a video: uint8 `(frames, height, width, 3)`, short side 256."""
    if not isinstance(clip, Clip):
        raise ValueError("is a record; send the video that it was made of")
    start = _START.value if clip.start is None else clip.start
    decoded = reader.iter_video(
        clip.path, start=start, end=clip.end, max_frames=_MAX_FRAMES.value or None
    )
    return np.stack([transforms.resize_short_side(frame) for frame in decoded])


def request_of(frames):
    """The frames as the signature takes them."""
    if _SIGNATURE.value == "encoded_frames":
        return {"image_bytes": image_coding.encode_rgb(frames, image_coding.Coding())}
    return {"frames": frames}


def ask(frames):
    """Sends frames to the server; returns the model's outputs by name."""
    (inputs,) = request_of(frames).values()
    size = sum(map(len, inputs)) if isinstance(inputs, list) else frames.nbytes
    server = _SERVER.value or f"localhost:{_PORTS[_PROTOCOL.value]}"
    logging.info("Sending %d frames, %.1f MB, to %s", len(frames), size / 1e6, server)
    send = ask_by_rest if _PROTOCOL.value == "rest" else ask_by_grpc
    return send(server, {_INPUTS[_SIGNATURE.value]: inputs})


def ask_by_grpc(server, inputs):
    """Sends the request over gRPC.

    Args:
        server: host and port.
        inputs: arrays or lists of images of one clip, by the signature's names.

    Returns:
        The model's outputs by name, for a batch of one.

    Raises:
        OSError: there is no answer in time.
        ValueError: the server rejects the request, the request exceeds the 2 GB limit
            of gRPC and TensorFlow Serving, or gRPC's packages are not installed.
    """
    try:
        with program.quiet_tensorflow():
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
    except ModuleNotFoundError as error:
        raise ValueError(
            "gRPC needs tensorflow-serving-api: pip install "
            "'kinetics-i3d-tf2[serving]', or use --protocol=rest"
        ) from error

    request = predict_pb2.PredictRequest()
    request.model_spec.name = _MODEL.value
    request.model_spec.signature_name = _SIGNATURE.value
    for name, clip in inputs.items():
        clip = clip[None] if isinstance(clip, np.ndarray) else [clip]
        request.inputs[name].CopyFrom(tf.make_tensor_proto(clip))
    with grpc.insecure_channel(server) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            response = stub.Predict(request, timeout=_TIMEOUT.value)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise _unreachable(server, error.details()) from error
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _too_late(server) from error
            raise _refused(server, error.code().name, error.details()) from error
    return {name: tf.make_ndarray(output) for name, output in response.outputs.items()}


def ask_by_rest(server, inputs):
    """Sends the request over HTTP; otherwise like `ask_by_grpc`."""
    address = server if "://" in server else f"http://{server}"
    url = f"{address}/v1/models/{_MODEL.value}:predict"
    headers = {"Content-Type": "application/json"}
    try:
        response = requests.post(
            url, data=as_json(inputs), headers=headers, timeout=_TIMEOUT.value
        )
        answer = response.json()
    except requests.Timeout as error:
        raise _too_late(server) from error
    except requests.ConnectionError as error:
        raise _unreachable(server, "no connection") from error
    except requests.JSONDecodeError as error:
        raise _refused(url, response.status_code, "no JSON comes back") from error
    if not isinstance(answer, dict):  # No answer of TensorFlow Serving.
        raise _refused(url, response.status_code, "no JSON object comes back")
    if "outputs" not in answer:
        raise _refused(server, response.status_code, answer.get("error", answer))
    return answer["outputs"]


def as_json(inputs):
    """Body of a REST request: a batch of one, in columns."""
    columns = {}
    for name, clip in inputs.items():
        if isinstance(clip, np.ndarray):
            columns[name] = [clip.tolist()]
        else:
            columns[name] = [[{"b64": base64.b64encode(i).decode()} for i in clip]]
    return json.dumps({"signature_name": _SIGNATURE.value, "inputs": columns})


def columns_of(outputs):
    """Probabilities, logits and labels of the top classes."""
    names = ("probabilities", "logits", "labels")
    # REST returns the only output of a model without its name.
    if not isinstance(outputs, dict) or not set(names) <= set(outputs):
        raise ValueError(
            f"The model lacks the outputs {', '.join(names)}; export it with i3d export"
        )
    *numbers, labels = (outputs[name][0][: _TOP.value] for name in names)
    return *numbers, [x.decode() if isinstance(x, bytes) else x for x in labels]


def print_answer(outputs):
    """Prints the top classes."""
    for probability, logit, label in zip(*columns_of(outputs), strict=True):
        print(program.six_digits(probability), program.six_digits(logit), label)


def _unreachable(server, reason):
    return OSError(
        f"{server}: cannot be reached by {_PROTOCOL.value} (--protocol): {reason}"
    )


def _too_late(server):
    return OSError(f"{server}: no answer within {_TIMEOUT.value:g} s (--timeout)")


def _refused(server, status, reason):
    reason = _ASSERTION.sub(r"\1 \2", _NODES.sub("", str(reason)))
    return ValueError(f"{server}: answers {status}: {reason}")


if __name__ == "__main__":
    program.run(main)
