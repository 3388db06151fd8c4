import pytest
import remote_servers


@pytest.fixture(scope="session")
def s3():
    """The address of an empty bucket."""
    s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
    pytest.importorskip("moto", reason="moto is not installed")
    with remote_servers.s3_server():
        s3fs.S3FileSystem(use_listings_cache=False).mkdir("bucket")
        yield "s3://bucket"
