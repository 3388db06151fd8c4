"""Reading from and writing to an S3 server."""

import contextlib
import re

import pytest

from kinetics_i3d_tf2.utils import files

CONTENT = bytes(range(256)) * 8 * 1024  # 2 MiB


def write(address, content):
    with files.atomic_writer(address) as path:
        path.write_bytes(content)


@pytest.fixture(scope="module")
def folder(s3):
    for name in ("a.mp4", "b.mp4", "sub/c.mp4", ".hidden/d.mp4", "sub/.e.mp4"):
        write(f"{s3}/videos/{name}", CONTENT)
    return f"{s3}/videos"


def test_content(folder):
    with files.open_file(f"{folder}/a.mp4", "rb") as file:
        assert file.read() == CONTENT
        assert file.seek(5) == 5 and file.read(3) == CONTENT[5:8]
    assert files.size(f"{folder}/a.mp4") == len(CONTENT)
    assert files.read_range(f"{folder}/a.mp4", 7, 9) == CONTENT[7:9]
    assert files.read_range(f"{folder}/a.mp4", len(CONTENT) - 1, 1 << 30) == b"\xff"


def test_listing(folder, s3):
    names = ["a.mp4", "b.mp4", "sub/c.mp4"]
    assert files.files_below(folder) == [f"{folder}/{name}" for name in names]
    assert files.files_below(folder + "/") == files.files_below(folder)
    assert set(files.files_below(folder)) <= set(files.files_below(s3))
    assert files.matching(f"{folder}/?.mp4") == [f"{folder}/a.mp4", f"{folder}/b.mp4"]
    assert files.matching(f"{folder}/no/*") == []
    assert files.is_dir(folder) and files.is_dir(s3) and files.is_dir(folder + "/")
    assert not files.is_dir(f"{folder}/a.mp4")
    assert files.exists(folder) and files.exists(f"{folder}/sub/c.mp4")
    assert not files.exists(f"{folder}/no.mp4")


def test_atomic_writer(s3):
    path = f"{s3}/written.txt"
    with files.atomic_writer(path) as temporary:
        temporary.write_text("first")
        assert not files.exists(path)
    with contextlib.suppress(KeyError), files.atomic_writer(path) as temporary:
        temporary.write_text("half of the sec")
        raise KeyError
    with files.open_file(path) as file:
        assert file.read() == "first"
    files.remove(path)
    assert not files.exists(path)
    files.remove(path)


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("s3://bucket/no.mp4", FileNotFoundError, "no.mp4: there is no such file"),
        ("s3://no-bucket/a.mp4", FileNotFoundError, "a.mp4: there is no such file"),
        ("s3://bucket/videos", IsADirectoryError, "videos: is a folder, not a file"),
    ],
    ids=["file", "bucket", "folder"],
)
def test_errors(folder, address, error, message):
    with pytest.raises(error, match=f"^{re.escape(address)}: .*{message[-20:]}"):
        files.open_file(address, "rb")


def test_a_bucket_is_checked_before_the_work(s3):
    files.make_dirs(f"{s3}/new/folder")
    with pytest.raises(FileNotFoundError, match="s3://no-bucket/out: there is no such"):
        files.make_dirs("s3://no-bucket/out")


@pytest.mark.parametrize("mode", ["w", "wb", "ab"])
def test_files_are_written_whole(s3, mode):
    with pytest.raises(ValueError, match="written whole, with atomic_writer"):
        files.open_file(f"{s3}/a", mode)


def test_no_credentials(s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(PermissionError, match="a.mp4: no credentials .*AWS_PROFILE"):
        files.open_file("s3://bucket/videos/a.mp4", "rb")
    s3fs.S3FileSystem.clear_instance_cache()


def test_no_server(s3, monkeypatch, no_backoff):
    from fsspec.config import conf

    monkeypatch.setitem(conf, "s3", {"endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(OSError, match="^s3://bucket/a: Could not connect .*4 tries"):
        files.open_file("s3://bucket/a", "rb")
