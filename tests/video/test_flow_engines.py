"""Which engine computes flow, in processes of any kind."""

import signal
import subprocess
import sys
import textwrap
import time
import types

import cv2
import pytest
from conftest import ROOT, environment

from kinetics_i3d_tf2.video import flow_engines

pytest.importorskip("numba")


@pytest.fixture
def run(python):
    """Runs a program with frames, which must succeed; returns the finished process."""

    def run(code, **environment):
        start = """
            import sys, numpy as np
            frames = np.zeros((3, 16, 16, 3), np.uint8)
        """
        done = python(
            "-c", textwrap.dedent(start) + textwrap.dedent(code), **environment
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_numba_is_chosen_on_cpu():
    assert flow_engines.choose_engine() == "numba"


@pytest.mark.parametrize(
    ("backend", "devices", "num_threads", "cores", "expected"),
    [
        ("tensorflow", ["GPU:0"], None, 2, "keras"),
        ("tensorflow", ["GPU:0"], None, 3, "numba"),
        ("tensorflow", ["GPU:0"], 1, 2, "numba"),
        ("tensorflow", [], None, 2, "numba"),
        ("jax", ["cuda:0"], None, 2, "keras"),
        ("jax", ["cpu:0"], None, 2, "numba"),
        ("torch", ["cuda:0"], None, 2, "numba"),
    ],
)
def test_keras_is_chosen_where_its_gpu_is_faster(
    monkeypatch, backend, devices, num_threads, cores, expected
):
    monkeypatch.setattr(flow_engines, "num_cores", lambda: cores)
    keras = types.SimpleNamespace(
        config=types.SimpleNamespace(backend=lambda: backend),
        distribution=types.SimpleNamespace(list_devices=lambda: devices),
    )
    config = types.SimpleNamespace(get_visible_devices=lambda kind: devices)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(config=config))
    assert flow_engines.choose_engine(num_threads=num_threads) == expected


def test_without_optflow_only_its_engine_fails(monkeypatch):
    """As where opencv-python is installed over the contrib build."""
    monkeypatch.delattr(cv2, "optflow")
    assert flow_engines.choose_engine() == "numba"
    with pytest.raises(ImportError, match="cv2.optflow.*uninstall .*contrib-python"):
        flow_engines.choose_engine("opencv")


@pytest.mark.parametrize(
    ("block", "environment"),
    [
        ("sys.modules['numba'] = None", {}),
        ("", {"NUMBA_DISABLE_JIT": "1"}),
    ],
    ids=["not installed", "switched off"],
)
def test_opencv_is_chosen_without_numba_with_one_notice(run, block, environment):
    code = f"""
        {block}
        from kinetics_i3d_tf2 import optical_flow
        flow = optical_flow(frames)
        assert (flow == optical_flow(frames, engine="opencv")).all()
        try:
            optical_flow(frames, engine="numba")
        except ImportError as error:
            print(error)
    """
    done = run(code, **environment)
    assert "engine='numba' needs Numba: pip install 'numba>=0.60'" in done.stdout
    assert done.stderr.count("computed by OpenCV, about 20 times slower") == 1


def test_flow_needs_neither_tensorflow_nor_keras(run):
    run(
        """
        from kinetics_i3d_tf2 import optical_flow
        optical_flow(frames)
        assert not {"tensorflow", "keras"} & set(sys.modules)
        """
    )


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_compute_flow(run, tmp_path, method):
    """Also those forked from a process that has computed flow in threads."""
    (tmp_path / "worker.py").write_text(
        "from kinetics_i3d_tf2 import optical_flow\n"
        "def flow(frames):\n"
        "    return optical_flow(frames, num_threads=2)\n"
    )
    run(
        f"""
        import multiprocessing
        sys.path.insert(0, {str(tmp_path)!r})
        import worker
        if __name__ == "__main__":
            frames = np.random.default_rng(0).integers(0, 256, (4, 100, 120, 3))
            frames = frames.astype(np.uint8)
            expected = worker.flow(frames)
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                for flow in pool.map_async(worker.flow, [frames] * 2).get(120):
                    np.testing.assert_array_equal(flow, expected)
        """
    )


@pytest.mark.parametrize("num_threads", [1, 2])
def test_an_interrupt_stops_a_flow(num_threads):
    """In the middle of a pair, which would take a minute."""
    code = f"""
        import numpy as np
        from kinetics_i3d_tf2 import optical_flow
        rng = np.random.default_rng(0)
        frames = rng.integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
        optical_flow(frames)
        frames = rng.integers(0, 256, (3, 1500, 2000, 3)).astype(np.uint8)
        print("start", flush=True)
        optical_flow(frames, epsilon=1e-6, num_threads={num_threads})
    """
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout.readline() == "start\n"
    time.sleep(0.3)
    program.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, error = program.communicate(timeout=60)
    print(f"stopped after {time.monotonic() - start:.2f} s")
    assert program.returncode in (1, -signal.SIGINT)
    assert "KeyboardInterrupt" in error
