import gc
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As programs do on every processor.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# XLA's optimizations take five times as long as what they speed up here.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

# What a shell starts in the background ignores Ctrl-C, and so would the programs here.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def environment(**changes) -> dict[str, str]:
    """Variables of a process that imports this checkout's package."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **changes}


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keeps the garbage collector from what is imported, a million objects."""
    from kinetics_i3d_tf2.utils import imports

    with imports.without_garbage_collection():
        result = yield
    gc.set_threshold(20_000, 10, 10)
    return result


def pytest_sessionfinish():
    """Keeps it from what was built, too; pytest and Python would search it all."""
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def models_are_built_once():
    """Where something imports Keras; programs that import it do it themselves."""
    if "keras" not in sys.modules:
        yield
        return
    import built_models

    with built_models.built_once():
        yield


@pytest.fixture(scope="session")
def shared():
    """Folder of reference material that developers have and users do not."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared folder with the release's own files")
    return SHARED


@pytest.fixture(scope="session")
def golden():
    """Loads a file of golden figures by name."""
    return lambda name: np.load(Path(__file__).parent / "golden" / f"{name}.npz")


@pytest.fixture(scope="session")
def python():
    """Runs Python in a process of its own; returns the finished process."""

    def run(*args, timeout=300, stdin=None, **changes):
        variables = environment(**changes)
        del variables["TF_CPP_MIN_LOG_LEVEL"]  # What a user sees.
        return subprocess.run(
            [sys.executable, *map(str, args)],
            cwd=ROOT,
            env=variables,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def small_model():
    """A narrow RGB model of 7 classes with the recipe's weights."""
    import built_models

    return built_models.narrow_i3d(7)


@pytest.fixture(scope="session")
def small_checkpoint(small_model, tmp_path_factory):
    """Folder with `small_model`'s weights and the names of its classes, a to g."""
    from kinetics_i3d_tf2 import save_checkpoint
    from kinetics_i3d_tf2.data import labels

    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(small_model, folder / "model.ckpt")
    labels.write_label_map(folder / "label_map.txt", tuple("abcdefg"))
    return folder


@pytest.fixture
def no_backoff(monkeypatch):
    """What cannot be downloaded or read is tried again at once."""
    from kinetics_i3d_tf2.checkpoints import download, package_index
    from kinetics_i3d_tf2.utils.remote import retries

    at_once = types.SimpleNamespace(sleep=lambda seconds: None)
    for module in (download, package_index, retries):
        monkeypatch.setattr(module, "time", at_once)


@pytest.fixture(scope="session")
def http_server():
    import remote_servers

    pytest.importorskip("aiohttp", reason="the extra http is not installed")
    with remote_servers.http_server() as server:
        yield server


@pytest.fixture
def server(http_server, monkeypatch, no_backoff):
    """An HTTP server with faults."""
    from kinetics_i3d_tf2.utils.remote import reader

    http_server.reset()
    http_server.content.clear()
    http_server.version = "1"
    monkeypatch.setattr(reader, "_blocks", reader._Blocks())
    return http_server


@pytest.fixture
def impatient(monkeypatch):
    """Servers that stall are soon given up, as others may be on a busy machine."""
    from kinetics_i3d_tf2.utils.remote import file_systems

    monkeypatch.setattr(file_systems, "READ_SECONDS", 0.4)
