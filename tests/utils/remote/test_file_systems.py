"""Which file system opens an address, and what is said when none does."""

import importlib
import sys

import pytest

from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import file_systems


def test_unknown_scheme():
    with pytest.raises(ValueError, match="s4://b/a: there is no file system for s4://"):
        files.open_file("s4://b/a", "rb")


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [
        ("s3://bucket/a", "s3fs", "s3"),
        ("gs://bucket/a", "gcsfs", "gcs"),
        ("http://host/a", "aiohttp", "http"),
    ],
)
def test_missing_package(address, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(
        sys.modules, "kinetics_i3d_tf2.utils.remote.http", raising=False
    )
    loaded = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(loaded, address.partition(":")[0], raising=False)
    message = (
        rf"{address}: .*needs {package}: pip install 'kinetics-i3d-tf2\[{extra}\]'"
    )
    with pytest.raises(ValueError, match=message):
        files.exists(address)


def test_any_file_system_of_fsspec(tmp_path):
    path = "memory://folder/a.txt"
    with files.atomic_writer(path) as temporary:
        temporary.write_text("content")
    with files.open_file(path) as file:
        assert file.read() == "content"
    assert files.files_below("memory://folder") == [path]
    address = f"file://{tmp_path}/new/b.txt"
    files.make_dirs(f"file://{tmp_path}/new")
    files.write_json(address, {"a": 1})
    assert (tmp_path / "new" / "b.txt").read_text() == '{\n  "a": 1\n}\n'
    assert files.files_below(f"file://{tmp_path}") == [address]


def test_a_chained_address(tmp_path):
    (tmp_path / "a.txt").write_text("content")
    with files.open_file(f"simplecache::file://{tmp_path}/a.txt") as file:
        assert file.read() == "content"


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfs"])
def test_object_stores(scheme):
    assert file_systems.appears_whole(f"{scheme}://bucket/a")
    assert not file_systems.appears_whole("sftp://host/a")


def test_a_file_system_that_cannot_be_opened():
    """Of hdfs://, a Java is needed, and its absence fills a hundred lines."""
    pytest.importorskip("pyarrow")
    with pytest.raises(OSError, match="^hdfs://host/a: ") as raised:
        files.open_file("hdfs://host/a", "rb")
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300
