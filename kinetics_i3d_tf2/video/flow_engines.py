"""Engines that compute TV-L1 flow, the choice between them, and pairs over threads."""

import collections
import functools
import itertools
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from ..utils.cores import num_cores

# "auto" is one of the others, see `choose_engine`.
ENGINES = ("auto", "numba", "opencv", "keras")
# Pairs that a GPU computes at once; 60 float32 values a pixel are held for each.
_GPU_PAIRS = 32
# Cores that Numba needs to be as fast as a GPU: on an H200 Keras computes 128 pairs of
# 224x224 a second, a core next to it 57 (benchmarks/gpu.py).
_CORES_OF_A_GPU = 3
_INSTALL_NUMBA = "pip install 'numba>=0.60'"
_INSTALL_OPENCV = (
    "pip uninstall -y opencv-python opencv-python-headless && "
    "pip install --force-reinstall --no-deps opencv-contrib-python-headless"
)

Pairs = Iterable[tuple[np.ndarray, np.ndarray]]


def choose_engine(engine: str = "auto", *, num_threads: int | None = None) -> str:
    """The engine that computes flow here.

    Args:
        engine: one of `ENGINES`. "auto" is "numba"; "keras" if Keras has been imported
            and has a GPU, no number of threads is set, and there are less than three
            cores or no Numba; or, with one warning, "opencv" where neither is there.
        num_threads: threads to use on CPU.

    Returns:
        "numba", "opencv" or "keras".

    Raises:
        ValueError: an unknown engine, less than one thread, or a number of threads for
            Keras.
        ImportError: the engine's package is not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {ENGINES}. Received: {engine!r}")
    if num_threads is not None and num_threads < 1:
        raise ValueError(f"num_threads must be at least 1. Received: {num_threads}")
    if engine == "keras" and num_threads is not None:
        raise ValueError(
            "num_threads is for flow on CPU by Numba or OpenCV; Keras's backend has "
            f"threads of its own. Received: {num_threads}"
        )
    if engine == "auto" and num_threads is None and _keras_has_gpu():
        if num_cores() < _CORES_OF_A_GPU or _numba_error():
            return "keras"
    if engine == "auto":
        engine = "opencv" if _numba_error(warn=True) else "numba"
    if engine == "numba" and (error := _numba_error()):
        raise ImportError(
            f"engine='numba' needs Numba: {_INSTALL_NUMBA}; or use engine='opencv'. "
            f"Received: {error}"
        )
    if engine == "opencv" and not hasattr(cv2, "optflow"):
        raise ImportError(
            "engine='opencv' needs the module cv2.optflow of "
            f"opencv-contrib-python-headless. Received: OpenCV {cv2.__version__} "
            "without it; another OpenCV package was installed over it. Run: "
            f"{_INSTALL_OPENCV}; or use engine='numba' ({_INSTALL_NUMBA})"
        )
    return engine


def compute_flow(
    pairs: Pairs, *, engine: str, epsilon: float, num_threads: int | None
) -> Iterator[np.ndarray]:
    """Flow of pairs of grey frames, in order.

    Args:
        pairs: first and second frame, uint8 `(height, width)`, of one size. Twice as
            many as there are threads are in work, or 32 on a GPU.
        engine: "numba", "opencv" or "keras".
        epsilon: iterations stop when they change the flow by less, in pixels.
        num_threads: threads of Numba or OpenCV; by default one for each processor.

    Yields:
        float32 `(height, width, 2)`.
    """
    if engine == "keras":
        return _compute_with_keras(pairs, epsilon)
    maker = _numba_calculator if engine == "numba" else _opencv_calculator
    maker = functools.partial(maker, epsilon)
    return _compute_in_threads(pairs, maker, num_threads or num_cores())


def compile_numba(describe: Callable[[str], None]) -> None:
    """Compiles the Numba engine if this process has not, after describing that."""
    from . import tvl1_cpu

    if not tvl1_cpu.is_compiled():
        describe("Compiling TV-L1")
        tvl1_cpu.compile_kernels()


def _keras_has_gpu():
    # Importing it only to see would take seconds, and the GPU's memory.
    keras = sys.modules.get("keras")
    if not hasattr(keras, "config"):
        return False
    if keras.config.backend() == "tensorflow":
        # Unlike Keras's own list, this does not start the GPU.
        return bool(sys.modules["tensorflow"].config.get_visible_devices("GPU"))
    if keras.config.backend() == "jax":
        return any("cpu" not in name for name in keras.distribution.list_devices())
    return False


@functools.cache
def _numba_error(*, warn=False):
    """Why the Numba engine cannot be used, or ""."""
    try:
        import numba

        error = ""
        if numba.config.DISABLE_JIT:
            error = "NUMBA_DISABLE_JIT is set"
    except ImportError as caught:
        error = str(caught)
    if error and warn:
        warnings.warn(
            f"TV-L1 flow is computed by OpenCV, about 20 times slower: {error}. "
            f"Install Numba: {_INSTALL_NUMBA}",
            RuntimeWarning,
            stacklevel=2,
        )
    return error


def _numba_calculator(epsilon, stopped):
    from . import tvl1_cpu

    return functools.partial(tvl1_cpu.DualTVL1(epsilon=epsilon).calc, stopped=stopped)


def _opencv_calculator(epsilon, stopped):
    tvl1 = cv2.optflow.DualTVL1OpticalFlow_create(epsilon=epsilon)
    return lambda first, second: tvl1.calc(first, second, None)


def _compute_in_threads(pairs, make_calculator, num_threads):
    """Threads take pairs from a queue; each has a calculator with its own buffers."""
    stopped = threading.Event()
    workspace = threading.local()

    def compute(first, second):
        if not hasattr(workspace, "calculate"):
            workspace.calculate = make_calculator(stopped)
        return workspace.calculate(first, second)

    if num_threads == 1:
        for pair in pairs:
            yield compute(*pair)
        return
    pool = ThreadPoolExecutor(num_threads)
    waiting = collections.deque()
    try:
        for pair in pairs:
            waiting.append(pool.submit(compute, *pair))
            if len(waiting) == 2 * num_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # An interrupt does not wait for pairs that are not used.
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _compute_with_keras(pairs, epsilon):
    import keras

    # A GPU wants many pairs at once; a CPU's caches hold one.
    devices = keras.distribution.list_devices()
    on_cpu = all(name.lower().startswith("cpu") for name in devices)
    size = 1 if on_cpu else _GPU_PAIRS
    model = _keras_model(keras.config.backend(), epsilon)
    pairs = iter(pairs)
    chunk = list(itertools.islice(pairs, size))
    size = len(chunk)
    while chunk:
        # One size, compiled once: the last chunk is filled with its last pair.
        filled = chunk + [chunk[-1]] * (size - len(chunk))
        batch = [
            np.stack(frames).astype(np.float32) for frames in zip(*filled, strict=True)
        ]
        yield from model.predict_on_batch(batch)[: len(chunk)]
        chunk = list(itertools.islice(pairs, size))


@functools.cache
def _keras_model(backend, epsilon):
    """Model of no weights: Keras compiles it as suits backend and device."""
    import keras

    from . import tvl1_keras

    class TVL1(keras.Model):
        def call(self, inputs):
            return tvl1_keras.tvl1_flow(*inputs, epsilon=epsilon)

    model = TVL1(dtype="float32")
    # Convolutions are slower by XLA on CPU; this is three times faster by it.
    model.compile(jit_compile=backend != "torch")
    return model
