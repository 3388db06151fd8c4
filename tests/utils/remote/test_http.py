"""Reading from an HTTP server with faults."""

import http.server
import os
import re
import threading

import pytest

from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import reader

CONTENT = bytes(range(256)) * 20 * 1024  # 5 MiB


def read(address):
    with files.open_file(address, "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    "fault",
    ["plain", "redirect", "busy", "hiccup", "cut_once", "whole", "unversioned"],
)
def test_content(server, impatient, fault):
    server.content["a.mp4"] = CONTENT
    assert read(f"{server.address}/{fault}/a.mp4") == CONTENT


def test_a_server_that_announces_no_size(server):
    server.content["a.mp4"] = CONTENT
    address = f"{server.address}/unknown/a.mp4"
    assert read(address) == CONTENT
    with pytest.raises(OSError, match="a.mp4: the server does not announce the size"):
        files.size(address)


def test_slow_is_not_stalled(server, impatient):
    server.content["a.csv"] = b"path,label\n" * 10
    assert read(f"{server.address}/slow/a.csv") == b"path,label\n" * 10


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("missing", FileNotFoundError, "a.mp4: there is no such file"),
        ("denied", PermissionError, "a.mp4: access denied (403 Forbidden)"),
        ("stall", TimeoutError, "a.mp4: the server did not answer in time (4 tries)"),
        ("cut", OSError, "a.mp4: the connection broke off (4 tries)"),
        ("lies", OSError, "a.mp4: asked for byte 0, the server sends the whole file"),
        ("shifted", OSError, "a.mp4: asked for byte 1048576, the server"),
        ("loop", OSError, "a.mp4: TooManyRedirects"),
    ],
)  # fmt: skip
def test_errors_are_one_line(server, impatient, fault, error, message):
    server.content["a.mp4"] = CONTENT
    address = f"{server.address}/{fault}/a.mp4"
    with pytest.raises(error, match=re.escape(message)) as raised:
        read(address)
    assert str(raised.value).startswith(f"{address}: ")
    assert "\n" not in str(raised.value)


def test_no_server(no_backoff):
    pytest.importorskip("aiohttp")
    with pytest.raises(OSError, match="http://127.0.0.1:9/a: .*[Cc]onnect") as raised:
        read("http://127.0.0.1:9/a")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    ["http://me:secret@{host}/private/{name}", "http://{host}/private/{name}?X-Amz-Signature=open%2Fsesame"],
    ids=["password", "signature"],
)  # fmt: skip
def test_credentials_are_used_and_not_shown(server, address):
    server.content["a.mp4"] = CONTENT
    host = server.address.removeprefix("http://")
    assert read(address.format(host=host, name="a.mp4")) == CONTENT
    with pytest.raises(FileNotFoundError) as raised:
        read(address.format(host=host, name="b.mp4"))
    assert "secret" not in str(raised.value)
    assert "sesame" not in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_a_part_is_read_by_ranges(server):
    server.content["a.mp4"] = CONTENT
    with files.open_file(f"{server.address}/plain/a.mp4", "rb") as file:
        assert file.read(16) == CONTENT[:16]
        assert file.seek(-16, os.SEEK_END) == len(CONTENT) - 16
        assert file.read() == CONTENT[-16:]
    assert sum(server.sent) == 1 + 2 * reader._BLOCK


def test_blocks_are_shared_by_readers_of_one_version(server):
    server.content["a.mp4"] = CONTENT
    address = f"{server.address}/plain/a.mp4"
    server.version = "shared"
    for expected in (2, 3):  # The second reader asks for the facts alone.
        with files.open_file(address, "rb") as file:
            file.read(16)
        assert len(server.requests) == expected
    server.version = "changed"
    server.content["a.mp4"] = CONTENT[::-1]
    with files.open_file(address, "rb") as file:
        assert file.read(16) == CONTENT[::-1][:16]


def test_the_next_block_is_fetched_ahead(server):
    server.content["a.mp4"] = CONTENT
    server.version = "ahead"
    with files.open_file(f"{server.address}/plain/a.mp4", "rb") as file:
        file.read(reader._BLOCK + 1)
        file.seek(2 * reader._BLOCK)
        file.read(1)
    starts = [wanted.partition("-")[0] for _, _, wanted in server.requests[1:]]
    assert sorted(starts)[:3] == ["bytes=0", "bytes=1048576", "bytes=2097152"]


def test_read_range_is_one_request(server):
    server.content["a"] = CONTENT
    address = f"{server.address}/plain/a"
    assert files.read_range(address, 10, 20) == CONTENT[10:20]
    assert [each for each in server.requests if each[1] == "a"] == [
        ("plain", "a", "bytes=10-19")
    ]
    assert files.read_range(address, len(CONTENT) - 5, len(CONTENT) + 5) == CONTENT[-5:]
    assert files.read_range(address, len(CONTENT) + 5, len(CONTENT) + 9) == b""


def test_an_empty_file(server):
    server.content["a"] = b""
    assert read(f"{server.address}/plain/a") == b""
    assert files.size(f"{server.address}/plain/a") == 0


def test_an_index_page_is_a_folder(tmp_path):
    """As `python -m http.server` shows it, which serves no ranges."""
    pytest.importorskip("aiohttp")
    for name in ("a.mp4", "sub/b.mp4", "sub/c d.mp4", ".hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def handler(*args):
        return Handler(*args, directory=str(tmp_path))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = f"http://127.0.0.1:{server.server_port}/"
        assert files.is_dir(folder) and not files.is_dir(f"{folder}a.mp4")
        found = files.files_below(folder)
        names = ["a.mp4", "sub/b.mp4", "sub/c%20d.mp4"]
        assert found == [folder + name for name in names]
        assert [read(path) for path in found] == [
            b"a.mp4",
            b"sub/b.mp4",
            b"sub/c d.mp4",
        ]
        server.shutdown()


def test_writing_is_refused_before_the_work(server):
    with pytest.raises(ValueError, match="files at http:// can only be read"):
        files.make_dirs(f"{server.address}/plain/out")
