"""examples/client.py and a server on this machine that speaks as TensorFlow Serving."""

import csv
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import programs
import pytest
import record_files
import requests
from conftest import ROOT
from videos import write_video

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.load import load_model
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import image_coding

pytest.importorskip("tensorflow_serving", reason="the extra serving is not installed")
import grpc  # noqa: E402
import serving  # noqa: E402

VIDEO = ROOT / "data" / "demo_opening_a_door.mp4"
CLIENT = ROOT / "examples" / "client.py"
WEIGHTS = ROOT / "checkpoints" / "demo_rgb"
STILL = np.zeros((1, 9, 200, 200, 3), np.uint8)
BY_REST = ("--protocol=rest", "--server={rest}")


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """The demonstration's RGB stream, exported."""
    folder = tmp_path_factory.mktemp("served")
    stream = ["--eval_type=rgb", "--weights=demo", f"--out={folder}"]
    done = programs.run("export", *stream)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def server(saved_model):
    with serving.serve(saved_model) as addresses:
        yield addresses


@pytest.fixture
def ask(server):
    """Runs the client in this process, with the server's addresses filled in."""

    def run(*arguments, video=VIDEO, server=server):
        arguments = [argument.format(**server._asdict()) for argument in arguments]
        if "--video=" not in arguments:
            arguments.insert(0, f"--video={video}")
        return programs.run_script(CLIENT, *arguments, no_proxy="127.0.0.1,localhost")

    return run


def answer_of(done):
    """Labels, probabilities and logits that the client has printed."""
    assert done.returncode == 0, done.stderr
    rows = [line.split(" ", 2) for line in done.stdout.splitlines()]
    return [row[2] for row in rows], np.array([row[:2] for row in rows], float)


def error_of(done):
    """The one line of a client that failed."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    lines = done.stderr.splitlines()
    (line,) = (line for line in lines if line.startswith("client.py: error: "))
    return line


@pytest.mark.parametrize("where", [["--server={grpc}"], BY_REST], ids=["grpc", "rest"])
@pytest.mark.parametrize("signature", ["serving_default", "encoded_frames"])
def test_the_answer_is_the_models(ask, where, signature):
    done = ask(*where, f"--signature={signature}", "--top=3")
    labels, numbers = answer_of(done)
    assert "Sending 14 frames" in done.stderr
    frames = i3d.resize_short_side(i3d.read_video(VIDEO))
    if signature == "encoded_frames":
        images = image_coding.encode_rgb(frames, image_coding.Coding())
        frames = image_coding.decode_images(images)
    clip = i3d.normalize_rgb(i3d.center_crop(frames))[None]
    logits = load_model(WEIGHTS)(clip).numpy()[0]
    names = Checkpoint(WEIGHTS).class_names
    top = i3d.top_k(logits, 3)
    assert labels == [names[index] for index in top]
    np.testing.assert_allclose(numbers[:, 1], logits[top], atol=1e-3)
    probabilities = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(numbers[:, 0], probabilities[top], atol=1e-4)


def test_many_videos_give_the_table_of_i3d_classify(server, tmp_path):
    for name in ("demo_opening_a_door.mp4", "demo_picking_up.mp4"):
        (tmp_path / name).symlink_to(ROOT / "data" / name)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    done = programs.run_script(
        CLIENT, tmp_path, f"--server={server.grpc}", "--top=2",
        "--signature=serving_default", no_proxy="127.0.0.1,localhost",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    local = programs.run(
        "classify", tmp_path, f"--rgb_checkpoint={WEIGHTS}", "--eval_type=rgb",
        "--top=2",
    )  # fmt: skip
    found, expected = (
        list(csv.DictReader(text.splitlines())) for text in (done.stdout, local.stdout)
    )
    assert len(found) == 3 and "FFmpeg" in found[0]["error"]
    for row, same in zip(found, expected, strict=True):
        for column in ("probability_1", "probability_2"):
            values = row.pop(column), same.pop(column)
            if values != ("", ""):
                assert float(values[0]) == pytest.approx(float(values[1]), abs=1e-4)
        assert row == same
    assert "2 of 3 videos are labelled" in done.stderr


def test_records_have_a_reason(tmp_path):
    path = tmp_path / "clips-00000-of-00001"
    record_files.write_records(path, [Clip(str(VIDEO))], has_flow=False)
    done = programs.run_script(CLIENT, path, "--server=localhost:1")
    (row,) = csv.DictReader(done.stdout.splitlines())
    assert row["error"] == "is a record; send the video that it was made of"


def test_both_protocols_send_the_same_part_of_a_video(ask):
    part = ("--start=0.04", "--max_frames=10", "--top=20")
    by_grpc = ask("--server={grpc}", *part)
    by_rest = ask("--protocol=rest", "--server=http://{rest}", *part)
    assert "Sending 10 frames" in by_grpc.stderr
    assert len(answer_of(by_grpc)[0]) == 8  # All that the model knows.
    assert by_grpc.stdout == by_rest.stdout
    assert by_grpc.stdout != ask(*BY_REST, "--max_frames=10", "--top=20").stdout


def test_pixels_beyond_grpcs_own_limit(ask, saved_model, tmp_path):
    frames = np.zeros((30, 256, 256, 3), np.uint8)  # 5.9 MB; gRPC's default is 4 MB.
    video = write_video(tmp_path / "long.mp4", frames)
    pixels = ("--server={grpc}", "--signature=serving_default")
    answer_of(ask(*pixels, video=video))
    with serving.serve(saved_model, largest_message=4_000_000) as small:
        error = error_of(ask(*pixels, video=video, server=small))
    assert "answers RESOURCE_EXHAUSTED: " in error
    assert "larger than max" in error


def test_the_request_by_itself_is_what_curl_sends(ask, server):
    done = ask("--print_request", "--max_frames=9")
    assert done.returncode == 0, done.stderr
    url = f"http://{server.rest}/v1/models/i3d:predict"
    columns = requests.post(url, data=done.stdout).json()["outputs"]
    assert columns["labels"][0][0] == "opening a door"
    # The same in rows, which TensorFlow Serving answers in rows.
    request = json.loads(done.stdout)
    (images,) = request.pop("inputs")["image_bytes"]
    for instance in (images, {"image_bytes": images}):
        answer = requests.post(url, json={**request, "instances": [instance]}).json()
        assert answer["predictions"] == [{k: v[0] for k, v in columns.items()}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--server={grpc}", "--max_frames=8"], "INVALID_ARGUMENT: .* 9 images"),
        ([*BY_REST, "--max_frames=8"], "answers 400: .*9 images"),
        (["--server={grpc}", "--model=x3d"], "NOT_FOUND: Servable not found .*x3d"),
        ([*BY_REST, "--model=x3d"], "answers 404: Servable not found .*x3d"),
        (
            ["--server=127.0.0.1:1"],
            r"127\.0\.0\.1:1: cannot be reached by grpc .*refused",
        ),
        (["--protocol=rest", "--server=127.0.0.1:1"], "cannot be reached by rest"),
        (["--server={grpc}", "--timeout=0.002"], r"no answer within 0\.002 s"),
        ([*BY_REST, "--timeout=0.002"], r"no answer within 0\.002 s"),
        (["--server={rest}"], "cannot be reached by grpc"),
        (["--protocol=rest", "--server={grpc}"], "cannot be reached by rest"),
        (["--protocol=rest", "--server=http://{rest}/v2"], "400: Malformed request"),
        (["--start=9"], "has no video frames from second 9 on"),
        (["--video="], "--video names the file to classify"),
        (["--protocol=http"], "value should be one of <grpc|rest>"),
    ],
    ids=str,
)
def test_mistakes_end_with_one_line(ask, arguments, message):
    error = error_of(ask(*arguments))
    assert re.search(message, error), error
    assert "{{" not in error  # The reason, without TensorFlow's names of nodes.


def test_the_server_answers_on_after_what_is_no_image(ask, server):
    url = f"http://{server.rest}/v1/models/i3d:predict"
    request = json.loads(ask("--print_request").stdout)
    (images,) = request["inputs"]["image_bytes"]
    good, images[3] = images[3], {"b64": "bm90IGFuIGltYWdl"}
    refused = requests.post(url, json=request)
    assert refused.status_code == 400
    assert re.search("expected JPEG or PNG", refused.json()["error"])
    images[3] = good
    answer = requests.post(url, json=request)
    assert answer.json()["outputs"]["labels"][0][0] == "opening a door"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("frames", (9, 200, 200, 3)),
        ("frames", (1, 1, 9, 200, 200, 3)),
        ("frames", (1, 9, 200, 200, 1)),
        ("frames", (1, 9, 200, 200, 4)),
        ("image_bytes", (9,)),
        ("image_bytes", (1, 1, 9)),
    ],
    ids=str,
)
def test_the_graph_refuses_wrong_shapes_and_answers_on(server, name, shape):
    signature, wrong, good = "serving_default", np.zeros(shape, np.uint8), STILL
    if name == "image_bytes":
        (image,) = image_coding.encode_rgb(STILL[0, :1], image_coding.Coding())
        wrong, good = (np.full(size, image, object) for size in (shape, (1, 9)))
        signature = "encoded_frames"
    with pytest.raises(grpc.RpcError, match=f"{name}: expected") as refused:
        serving.predict(server, signature, {name: wrong})
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    answer = serving.predict(server, signature, {name: good})
    assert answer["labels"].shape == (1, 8)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"outputs": [[0.5, 0.5]]},
            "The model lacks the outputs probabilities, logits",
        ),
        ({"outputs": {"logits": [[0.5]]}}, "The model lacks the outputs probabilities"),
        ({"error": "Out of memory"}, "answers 200: Out of memory"),
        ([1], "answers 200: no JSON object comes back"),
        (1, "answers 200: no JSON object comes back"),
    ],
    ids=str,
)
def test_answers_of_other_models_and_servers(answer, message):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            """Keeps quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.handle_request)
        thread.start()
        where = ("--protocol=rest", f"--server=127.0.0.1:{http.server_port}")
        done = programs.run_script(
            CLIENT, f"--video={VIDEO}", *where, no_proxy="127.0.0.1"
        )
        thread.join(60)
    assert message in error_of(done)


@pytest.mark.parametrize("missing", ["grpc", "tensorflow_serving.apis"])
def test_grpc_without_its_packages(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    error = error_of(programs.run_script(CLIENT, f"--video={VIDEO}"))
    assert "pip install 'kinetics-i3d-tf2[serving]', or use --protocol" in error
