"""The download, against a server on loopback that misbehaves in every known way."""

import hashlib
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kinetics_i3d_tf2.checkpoints import released

CONTENT = {
    "data/v_CricketShot_g04_c01_rgb.npy": b"a sample clip " * 50_000,
    "data/checkpoints/rgb_imagenet/model.ckpt.index": b"an index",
    "data/checkpoints/rgb_imagenet/model.ckpt.data-00000-of-00001": b"data" * 9_999,
}


def blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers with the next of the server's planned behaviours, then properly."""

    def do_GET(self):
        server = self.server
        with server.lock:
            server.requests.append((self.path, self.headers.get("Range")))
            behaviour = server.plan.pop(0) if server.plan else "serve"
        content = CONTENT[self.path.lstrip("/")]
        if isinstance(behaviour, int):
            self.send_error(behaviour)
            return
        start = 0
        if self.headers.get("Range") and behaviour != "no ranges":
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        body = content[start:]
        if behaviour != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour == "truncate":
            self.wfile.write(body[: len(body) // 2])
        elif behaviour == "corrupt":
            self.wfile.write(body[:-1] + b"?")
        elif behaviour == "stall":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            server.stop.wait(20)
        elif behaviour == "slow":
            for index in range(10):
                part = -(-len(body) // 10)
                self.wfile.write(body[index * part : (index + 1) * part])
                time.sleep(0.1)
        else:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.plan, httpd.requests = [], []
    httpd.lock, httpd.stop = threading.Lock(), threading.Event()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    yield httpd
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """`release.fetch` from the server, of contents whose hashes are known."""
    monkeypatch.setattr(released, "RELEASED", known_files())

    def call(name="rgb_sample", **options):
        options = {"timeout": (1, 0.3), "backoff": 0.01, **options}
        return released.fetch(name, root=tmp_path, base_url=server.url, **options)

    return call


def known_files():
    return {
        name: tuple(
            file._replace(blob_id=blob(CONTENT[file.remote_path])) for file in files
        )
        for name, files in released.RELEASED.items()
        if name in ("rgb_sample", "rgb_imagenet")
    }


def resumed_at(wanted_range):
    return int(wanted_range.removeprefix("bytes=").rstrip("-"))


SAMPLE = CONTENT["data/v_CricketShot_g04_c01_rgb.npy"]


def test_manifest_is_the_releases(shared):
    manifest = json.loads((shared / "release" / "manifest.json").read_text())
    assert manifest["commit"] == released.COMMIT
    for files in released.RELEASED.values():
        for file in files:
            known = manifest["files"][file.remote_path]
            assert file.blob_id == known["git_blob_sha1"]


@pytest.mark.parametrize(
    "name",
    ["rgb_imagenet", "flow_imagenet", "rgb_scratch", "flow_scratch"]
    + ["rgb_scratch_kin600"],
)
def test_blob_id_of_real_files(shared, name):
    index = released.RELEASED[name][0]
    path = shared / "release" / index.local_path
    assert released.blob_id(path) == index.blob_id


def test_sample(fetch, tmp_path, server, capsys):
    path = fetch()
    assert path == tmp_path / "data" / "v_CricketShot_g04_c01_rgb.npy"
    assert path.read_bytes() == SAMPLE
    assert fetch() == path
    assert len(server.requests) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "v_CricketShot_g04_c01_rgb.npy: 100%" in captured.err


def test_checkpoint(fetch, tmp_path):
    prefix = fetch("rgb_imagenet")
    assert prefix == tmp_path / "checkpoints" / "rgb_imagenet" / "model.ckpt"
    names = {path.name for path in prefix.parent.glob("model*")}
    assert names == {"model.ckpt.index", "model.ckpt.data-00000-of-00001"}


def test_what_is_there_is_used(fetch, tmp_path, server):
    path = tmp_path / "data" / "v_CricketShot_g04_c01_rgb.npy"
    path.parent.mkdir()
    path.write_bytes(b"the user's own")
    assert fetch().read_bytes() == b"the user's own"
    assert not server.requests


@pytest.mark.parametrize(
    "plan",
    [
        ["truncate"],
        ["corrupt"],
        ["stall"],
        [503],
        [500, "truncate"],
        ["stall", "truncate"],
        ["truncate", "no ranges"],
        ["no length"],
        ["truncate", 416],
        [429, 408],
    ],
    ids=str,
)
def test_passing_faults_are_survived(fetch, server, plan):
    server.plan = list(plan)
    assert fetch().read_bytes() == SAMPLE
    last_serves = plan[-1] in ("no ranges", "no length")
    assert len(server.requests) == len(plan) + (not last_serves)


def test_a_broken_download_is_resumed(fetch, server):
    server.plan = ["truncate"]
    fetch()
    first, second = (wanted for _, wanted in server.requests)
    assert first is None
    assert 0 < resumed_at(second) <= len(SAMPLE) // 2


def test_a_later_run_resumes(fetch, server, tmp_path):
    server.plan = ["truncate", 503, 503]
    with pytest.raises(released.DownloadError):
        fetch()
    assert fetch().read_bytes() == SAMPLE
    assert 0 < resumed_at(server.requests[-1][1]) <= len(SAMPLE) // 2
    assert not list((tmp_path / "data").glob("*.part"))


@pytest.mark.parametrize(
    ("plan", "requests", "reason"),
    [
        ([404] * 9, 1, "404 Not Found"),
        ([503] * 9, 3, "503 Service Unavailable"),
        (["corrupt"] * 9, 3, "damaged: git blob"),
        (["stall"] * 9, 3, "did not answer in time"),
    ],
    ids=["404", "503", "corrupt", "stall"],
)
def test_lasting_faults(fetch, server, tmp_path, plan, requests, reason):
    server.plan = plan
    if plan[0] == "stall":
        plan[:] = ["stall"] * 3
    with pytest.raises(released.DownloadError, match=reason) as caught:
        fetch()
    message = str(caught.value)
    assert message.startswith("v_CricketShot_g04_c01_rgb.npy: ")
    assert server.url + "data/v_CricketShot_g04_c01_rgb.npy" in message
    assert f"put it in {tmp_path / 'data'}" in message
    assert "\n" not in message
    assert len(server.requests) == requests
    assert not (tmp_path / "data" / "v_CricketShot_g04_c01_rgb.npy").exists()


def test_no_network(fetch, server, tmp_path):
    server.shutdown()
    server.socket.close()
    with pytest.raises(released.DownloadError, match="no connection") as caught:
        fetch()
    assert f"put it in {tmp_path / 'data'}" in str(caught.value)


def test_folder_that_cannot_be_made(fetch, tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(released.DownloadError, match="rgb.npy: cannot be downloaded"):
        fetch()


def test_unknown_name(fetch):
    with pytest.raises(ValueError, match="Released are .*'i3d'"):
        fetch("i3d")


def test_whole_download_that_was_not_moved(fetch, server, tmp_path):
    partial = tmp_path / "data" / "v_CricketShot_g04_c01_rgb.npy.part"
    partial.parent.mkdir()
    partial.write_bytes(SAMPLE)
    assert fetch().read_bytes() == SAMPLE
    assert not server.requests


def test_two_processes_at_once(server, tmp_path):
    """One downloads, the other waits for it; both get the file."""
    server.plan = ["slow"]
    code = """
import sys
sys.path[:0] = ["tests", "tests/checkpoints"]
import test_released
from kinetics_i3d_tf2.checkpoints import released
released.RELEASED = test_released.known_files()
path = released.fetch("rgb_sample", root=sys.argv[1], base_url=sys.argv[2])
assert path.read_bytes() == test_released.SAMPLE
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path, server.url], stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert len(server.requests) == 1


def test_killed_while_downloading(server, tmp_path, fetch):
    server.plan = ["stall"]
    code = """
import sys
sys.path[:0] = ["tests", "tests/checkpoints"]
import test_released
from kinetics_i3d_tf2.checkpoints import released
released.RELEASED = test_released.known_files()
released.fetch("rgb_sample", root=sys.argv[1], base_url=sys.argv[2])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, server.url], stderr=subprocess.DEVNULL
    )
    partial = tmp_path / "data" / "v_CricketShot_g04_c01_rgb.npy.part"
    deadline = time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size > 0):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not partial.with_suffix("").exists()
    assert fetch().read_bytes() == SAMPLE
    assert server.requests[-1][1].startswith("bytes=")
