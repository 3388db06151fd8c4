"""Servers on loopback for tests of remote files: HTTP with faults, and S3."""

import collections
import contextlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time

S3_KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
S3_KEYS |= {"AWS_DEFAULT_REGION": "us-east-1"}


class FaultyHandler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content`; the first part of a path is the fault."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._sent = self.server.sent  # One that stalls may go on in the next test.
        _, fault, name = self.path.partition("?")[0].split("/", 2)
        wanted = self.headers.get("Range", "")
        self.server.requests.append((fault, name, wanted))
        count = self.server.counts[fault, name] = self.server.counts[fault, name] + 1
        if fault == "missing" or name not in self.server.content:
            return self.send_error(404)
        content = self.server.content[name]
        if fault == "redirect":
            return self._redirect(f"/plain/{name}")
        if fault == "loop":
            return self._redirect(self.path)
        if fault == "denied" or (fault == "private" and not self._is_authorized()):
            return self.send_error(403)
        if fault == "busy" and count <= 2:
            return self.send_error(503)
        if fault == "stall" or (fault == "hiccup" and count == 2):
            time.sleep(self.server.stall_seconds)
        is_lie = fault == "lies" and count > 1 or fault == "lies_later" and count > 2
        if fault in ("whole", "unknown") or is_lie:
            wanted = ""
        first, last = 0, len(content) - 1
        found = re.match(r"bytes=(\d+)-(\d*)", wanted)
        if found:
            first, last = int(found[1]), min(int(found[2] or last), last)
            if first >= len(content):
                return self.send_error(416)
            said = first + 1 if fault == "shifted" and first else first
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {said}-{last}/{len(content)}")
            content = content[first : last + 1]
        else:
            self.send_response(200)
        self._send(content, fault, count)

    do_HEAD = do_GET

    def _send(self, content, fault, count):
        if fault != "unversioned":
            self.send_header("ETag", f'"{self.server.version}"')
        if fault == "unknown":
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        is_cut = fault == "cut" or (fault == "cut_once" and count % 2 == 0)
        if is_cut and len(content) > 1:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self._sent.append(len(content))
        with contextlib.suppress(ConnectionError):
            if fault == "slow":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.01)
            else:
                self.wfile.write(content)

    def _is_authorized(self):
        query = self.path.partition("?")[2]
        return "X-Amz-Signature=open%2Fsesame" in query or (
            self.headers.get("Authorization") == "Basic bWU6c2VjcmV0"  # me:secret
        )

    def _redirect(self, path):
        self.send_response(302)
        self.send_header("Location", path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class FaultyServer(http.server.ThreadingHTTPServer):
    """HTTP on loopback that serves `content`.

    `requests` is what it was asked, `sent` the number of bytes of each answer. The
    faults: plain, missing, redirect, loop, denied, private (credentials are
    needed), busy (twice 503), stall, hiccup (stalls once), cut, cut_once, slow, whole
    (no ranges), unknown (no length), lies (ranges work once), lies_later (twice),
    shifted (other ranges), unversioned (no ETag).
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FaultyHandler)
        self.content = {}
        self.version = "1"
        self.stall_seconds = 1.0
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.reset()

    def reset(self):
        """Forgets the requests."""
        self.requests = []
        self.counts = collections.Counter()
        self.sent = []

    def handle_error(self, request, client_address):
        pass  # Clients that hang up.


@contextlib.contextmanager
def http_server():
    """Yields a `FaultyServer` that runs."""
    with FaultyServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def s3_server():
    """Yields the endpoint of an S3 server, which this process's S3 then is."""
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        for line in server.stderr:
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            if found:
                break
        # What it says later must not fill the pipe.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        before = dict(os.environ)
        os.environ.update(S3_KEYS, AWS_ENDPOINT_URL=found[1])
        try:
            yield found[1]
        finally:
            os.environ.clear()
            os.environ.update(before)
            server.kill()
