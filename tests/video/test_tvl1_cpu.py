import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from conftest import ROOT

pytest.importorskip("numba")

from kinetics_i3d_tf2.video import tvl1_cpu  # noqa: E402
from kinetics_i3d_tf2.video.tvl1_cpu import buffers, median, warp  # noqa: E402

# Before version 5, OpenCV rounds the places of its interpolation to 1/32 pixel.
ROUNDED = int(cv2.__version__.split(".")[0]) < 5
CLOSE = 0.1 if ROUNDED else 0.02


def texture(height, width, *, dx=0.0, dy=0.0, seed=0):
    """Smooth random grey frames, the second moved by (dx, dy) pixels."""
    rng = np.random.default_rng(seed)
    margin = int(np.ceil(max(abs(dx), abs(dy)))) + 1
    noise = rng.uniform(size=(height + 2 * margin, width + 2 * margin))
    noise = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 2)
    noise = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX)
    frames = []
    for x, y in ((0, 0), (dx, dy)):
        shift = np.float32([[1, 0, x], [0, 1, y]])
        moved = cv2.warpAffine(noise, shift, noise.shape[::-1], flags=cv2.INTER_CUBIC)
        inside = moved[margin : margin + height, margin : margin + width]
        frames.append(np.clip(np.rint(inside), 0, 255).astype(np.uint8))
    return frames


def opencv(first, second, **options):
    return cv2.optflow.DualTVL1OpticalFlow_create(**options).calc(first, second, None)


def error(received, expected):
    """Mean end-point error in pixels."""
    return np.linalg.norm(received - expected, axis=-1).mean()


def sensitivity(first, second):
    """Mean change of OpenCV's flow in pixels when frames change by 1e-6 of white."""
    rng = np.random.default_rng(0)
    frames = [frame.astype(np.float32) / 255 for frame in (first, second)]
    noise = [rng.normal(0, 1e-6, frame.shape).astype(np.float32) for frame in frames]
    changed = [frame + part for frame, part in zip(frames, noise, strict=True)]
    return error(opencv(*changed), opencv(*frames))


def random_pair(kind, rng):
    """Frames (48, 64) that give TV-L1 nothing to follow, or no scale to follow it."""
    shape = 2, 48, 64
    if kind == "noise":
        return rng.integers(0, 256, shape).astype(np.uint8)
    if kind == "faint noise":
        return rng.integers(126, 130, shape).astype(np.uint8)
    if kind == "black and white":
        return (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    frames = np.zeros(shape, np.uint8)
    if kind == "still":
        frames[:] = rng.integers(0, 256, shape[1:])
    elif kind == "black, then white":
        frames[1] = 255
    elif kind == "saturated square":
        frames[0, 10:30, 10:30] = frames[1, 13:33, 12:32] = 255
    return frames


KINDS = [
    *("noise", "faint noise", "black and white"),
    *("still", "black, then white", "saturated square"),
]


@pytest.mark.parametrize(
    ("height", "width"),
    [(16, 16), (16, 400), (400, 17), (31, 33), (65, 64), (97, 128), (129, 241)],
)
def test_flow_is_opencvs_at_any_size(height, width):
    frames = texture(height, width, dx=1.5, dy=-0.75)
    received = tvl1_cpu.DualTVL1().calc(*frames)
    assert received.shape == (height, width, 2)
    assert received.dtype == np.float32
    assert error(received, opencv(*frames)) < CLOSE + 2 * sensitivity(*frames)


@pytest.mark.parametrize(("dx", "dy"), [(0.3, 0), (-4, 2), (10, 10), (-40, 0), (0, 40)])
def test_flow_is_opencvs_at_any_motion(dx, dy):
    """Where motion is too large to follow, rounding decides what is found."""
    frames = texture(48, 56, dx=dx, dy=dy)
    received = tvl1_cpu.DualTVL1().calc(*frames)
    assert error(received, opencv(*frames)) < CLOSE + 2 * sensitivity(*frames)


@pytest.mark.parametrize("kind", KINDS)
def test_flow_is_opencvs_for_any_frames(kind):
    frames = random_pair(kind, np.random.default_rng(0))
    received = tvl1_cpu.DualTVL1().calc(*frames)
    assert np.isfinite(received).all()
    assert error(received, opencv(*frames)) < CLOSE + 2 * sensitivity(*frames)


@pytest.mark.parametrize("epsilon", [0.001, 0.05, 1.0])
def test_flow_is_opencvs_for_any_epsilon(epsilon):
    frames = texture(100, 100, dx=2, dy=1)
    received = tvl1_cpu.DualTVL1(epsilon=epsilon).calc(*frames)
    assert error(received, opencv(*frames, epsilon=epsilon)) < CLOSE


def test_flow_does_not_depend_on_buffers_runs_or_threads():
    pairs = [
        texture(h, w, dx=2, seed=h) for h, w in ((64, 96), (33, 17), (64, 96), (96, 64))
    ]
    expected = [tvl1_cpu.DualTVL1().calc(*pair) for pair in pairs]
    used = tvl1_cpu.DualTVL1()
    for pair, flow in zip(pairs, expected, strict=True):
        np.testing.assert_array_equal(used.calc(*pair), flow)
    with ThreadPoolExecutor(4) as pool:
        received = pool.map(lambda pair: tvl1_cpu.DualTVL1().calc(*pair), pairs * 4)
        for flow, wanted in zip(received, expected * 4, strict=True):
            np.testing.assert_array_equal(flow, wanted)


def test_a_flow_that_is_stopped_ends_early():
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(tvl1_cpu.Stopped):
        tvl1_cpu.DualTVL1().calc(*texture(64, 64, dx=2), stopped=stopped)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (40, 65)])
def test_warp_is_opencvs_bicubic_remap(height, width):
    rng = np.random.default_rng(0)
    frame = rng.uniform(0, 255, (height, width)).astype(np.float32)
    flow = rng.normal(0, 9, (2, height, width)).astype(np.float32)
    memory, shape = buffers.allocate(height, width), buffers.plane_shape(height, width)
    taps = buffers.start_scale(np.zeros_like(frame), flow, shape, memory)
    warp.fill_taps(frame, taps)
    warp.warp(0, shape, memory)
    slope_x, slope_y, scale, rest = (
        buffers.image(memory.data, plane, shape) for plane in range(4)
    )

    edged = np.pad(frame, 1, mode="symmetric")
    x, y = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (width, height)))
    values, expected_x, expected_y = (
        cv2.remap(image, x + flow[0], y + flow[1], cv2.INTER_CUBIC)
        for image in (
            frame,
            (edged[1:-1, 2:] - edged[1:-1, :-2]) / 2,
            (edged[2:, 1:-1] - edged[:-2, 1:-1]) / 2,
        )
    )
    close = {"atol": 30 if ROUNDED else 1e-2}
    np.testing.assert_allclose(slope_x, expected_x, **close)
    np.testing.assert_allclose(slope_y, expected_y, **close)
    np.testing.assert_allclose(
        rest + slope_x * flow[0] + slope_y * flow[1], values, **close
    )
    squared = np.maximum(slope_x**2 + slope_y**2, 2.0**-23)
    np.testing.assert_allclose(scale * squared, -1, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (40, 65)])
def test_median_is_opencvs(height, width):
    image = np.random.default_rng(0).normal(size=(height, width)).astype(np.float32)
    memory, shape = buffers.allocate(height, width), buffers.plane_shape(height, width)
    buffers.start_scale(image, (image, image), shape, memory)
    planes = shape.stride, shape.stride + shape.plane
    median.filter_median(*planes, memory.rows, memory.state, shape)
    received = memory.state[planes[1] :][: height * shape.stride]
    received = received.reshape(height, shape.stride)
    np.testing.assert_array_equal(received[:, :width], cv2.medianBlur(image, 5))
    assert not received[:, width:].any()


@pytest.mark.slow
def test_kernels_compile_where_no_cache_can_be_written(python):
    """Neither beside the package nor in the user's folder."""
    done = python(
        "-c",
        "import numba.core.caching as caching;"
        "caching.CacheImpl._locator_classes = [];"
        "from kinetics_i3d_tf2.video import tvl1_cpu;"
        "assert not tvl1_cpu.is_compiled();"
        "tvl1_cpu.compile_kernels(); assert tvl1_cpu.is_compiled()",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_kernels_are_cached_for_the_user_where_the_package_is_read_only(
    python, tmp_path
):
    package, home = tmp_path / "kinetics_i3d_tf2", tmp_path / "home"
    shutil.copytree(
        ROOT / package.name, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    # Even the superuser can create nothing in a folder that is a file.
    (package / "video" / "tvl1_cpu" / "__pycache__").touch()
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from kinetics_i3d_tf2.video import tvl1_cpu; tvl1_cpu.compile_kernels();"
        "from kinetics_i3d_tf2.video.tvl1_cpu import iteration;"
        "hits = iteration.outer_iteration.stats.cache_hits;"
        "print(tvl1_cpu.__file__, sum(hits.values()))"
    )
    for hits in (0, 1):
        done = python("-c", program, HOME=str(home), XDG_CACHE_HOME=str(home / "cache"))
        assert done.stdout.startswith(str(package)), done.stderr
        assert done.stdout.endswith(f" {hits}\n")
        assert len(list(home.rglob("*.nbc"))) == 3
