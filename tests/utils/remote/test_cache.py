"""Files that are fetched once."""

import os

import pytest

from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def fetch(address, target):
    files.copy_to_local(address, target)
    return target.read_bytes()


def kept(folder):
    return [
        path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"
    ]


def test_a_file_is_fetched_once(server, tmp_path, folder):
    server.content["model"] = b"weights" * (3 << 20)  # Several pieces.
    address = f"{server.address}/plain/model"
    assert fetch(address, tmp_path / "1") == server.content["model"]
    server.reset()
    assert fetch(address, tmp_path / "2") == server.content["model"]
    assert server.sent == [1]  # The facts.
    assert len(kept(folder)) == 1


def test_a_changed_file_is_fetched_again(server, tmp_path, folder):
    server.content["model"] = b"old"
    address = f"{server.address}/plain/model"
    assert fetch(address, tmp_path / "1") == b"old"
    server.content["model"], server.version = b"new", "2"
    assert fetch(address, tmp_path / "2") == b"new"
    assert (tmp_path / "1").read_bytes() == b"old"
    assert [path.read_bytes() for path in kept(folder)] == [b"new"]


def test_what_has_no_version_is_not_kept(server, tmp_path, folder):
    server.content["model"] = b"old"
    address = f"{server.address}/unversioned/model"
    assert fetch(address, tmp_path / "1") == b"old"
    server.content["model"] = b"new"
    assert fetch(address, tmp_path / "2") == b"new"
    assert kept(folder) == []


@pytest.mark.parametrize("fault", ["cut_once", "busy", "whole"])
def test_broken_connections(server, tmp_path, fault):
    server.content["model"] = b"weights" * (3 << 20)
    address = f"{server.address}/{fault}/model"
    assert fetch(address, tmp_path / "1") == server.content["model"]


def test_a_failed_fetch_leaves_nothing(server, tmp_path, folder):
    server.content["model"] = b"weights"
    with pytest.raises(OSError, match="the connection broke off"):
        fetch(f"{server.address}/cut/model", tmp_path / "1")
    assert kept(folder) == []


def test_credentials_are_not_in_the_cache(server, tmp_path, folder):
    server.content["model"] = b"weights"
    signature = "X-Amz-Signature=open%2Fsesame"
    fetch(f"{server.address}/private/model?{signature}", tmp_path / "1")
    (path,) = kept(folder)
    assert path.name.endswith("-model")


def test_what_is_computed_of_a_file_is_remembered(server):
    server.content["a"] = b"abc"
    address = f"{server.address}/plain/a"
    assert cache.remembered(address, "letters", lambda: [1, 2]) == [1, 2]
    assert cache.remembered(address, "letters", lambda: [3]) == [1, 2]
    assert cache.remembered(address, "words", lambda: [4]) == [4]
    server.version = "2"
    assert cache.remembered(address, "letters", lambda: [3]) == [3]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_to(server, tmp_path, folder):
    folder.mkdir(mode=0o500)
    server.content["model"] = b"weights"
    address = f"{server.address}/plain/model"
    assert fetch(address, tmp_path / "1") == b"weights"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({cache.VARIABLE: "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/kinetics_i3d_tf2"),
        ({"HOME": "/c"}, "/c/.cache/kinetics_i3d_tf2"),
    ],
    ids=["variable", "xdg", "home"],
)
def test_the_folder(monkeypatch, variables, expected):
    for name in (cache.VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache.folder()) == expected
