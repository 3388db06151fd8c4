import pytest
import remote_servers

from kinetics_i3d_tf2.utils.remote import file_systems, reader, retries


@pytest.fixture(scope="session")
def http_server():
    pytest.importorskip("aiohttp", reason="the extra http is not installed")
    with remote_servers.http_server() as server:
        yield server


@pytest.fixture
def server(http_server, monkeypatch):
    """An HTTP server with faults; requests are given up fast."""
    http_server.reset()
    http_server.content.clear()
    http_server.version = "1"
    monkeypatch.setattr(reader, "_blocks", reader._Blocks())
    monkeypatch.setattr(retries, "BACKOFF", 0.01)
    monkeypatch.setattr(file_systems, "READ_SECONDS", 0.4)
    return http_server


@pytest.fixture(scope="session")
def s3():
    """The address of an empty bucket."""
    s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    pytest.importorskip("moto", reason="moto is not installed")
    with remote_servers.s3_server():
        s3fs.S3FileSystem(use_listings_cache=False).mkdir("bucket")
        yield "s3://bucket"
