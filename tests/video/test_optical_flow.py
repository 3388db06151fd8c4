import threading

import cv2
import numpy as np
import pytest

from kinetics_i3d_tf2 import read_video
from kinetics_i3d_tf2.video import flow_engines, optical_flow, transforms


def moving_pattern(frames, dx, dy, size=64):
    """Smooth texture that moves by (dx, dy) pixels a frame."""
    t, y, x = np.meshgrid(
        np.arange(frames), np.arange(size), np.arange(size), indexing="ij"
    )
    x, y = x - dx * t, y - dy * t
    texture = np.sin(x / 3) + np.sin(y / 4) + np.sin((x + y) / 5) + np.sin((x - y) / 7)
    grey = (127.5 + 30 * texture).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


OPENCV = int(cv2.__version__.partition(".")[0])
ENGINES = pytest.mark.parametrize("engine", ["numba", "opencv", "keras"])


@ENGINES
@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (-2, 0), (0, 1.5), (1, -1)])
def test_flow_of_a_known_motion(dx, dy, engine):
    received = optical_flow.optical_flow(moving_pattern(3, dx, dy), engine=engine)
    assert received.shape == (2, 64, 64, 2)
    assert received.dtype == np.float32
    inside = received[:, 12:-12, 12:-12].mean(axis=(0, 1, 2))
    np.testing.assert_allclose(inside, [dx, dy], atol=0.15)


@ENGINES
def test_flow_of_still_frames_is_zero(engine):
    assert not optical_flow.optical_flow(moving_pattern(3, 0, 0), engine=engine).any()


def test_engines_agree_for_each_epsilon():
    # The second takes less time eagerly than to compile it.
    flow_engines._keras_model("tensorflow", 0.1).run_eagerly = True
    for epsilon, size in ((0.01, 64), (0.1, 24)):
        frames = moving_pattern(4, 1, 0.5, size=size)
        by_engine = [
            optical_flow.optical_flow(frames, epsilon=epsilon, engine=engine)
            for engine in ("opencv", "numba", "keras")
        ]
        for received in by_engine[1:]:
            error = np.linalg.norm(received - by_engine[0], axis=-1)
            assert error.mean() < 0.05


@pytest.mark.parametrize("engine", ["numba", "opencv"])
def test_flow_does_not_depend_on_threads(engine):
    frames = moving_pattern(6, 1, 0.5)
    expected = optical_flow.optical_flow(frames, engine=engine, num_threads=1)
    for num_threads in (2, 3):
        received = optical_flow.optical_flow(
            frames, engine=engine, num_threads=num_threads
        )
        np.testing.assert_array_equal(received, expected)


@ENGINES
def test_flow_of_a_stream_is_that_of_an_array(engine):
    frames = moving_pattern(4, 1, 0.5)
    streamed = list(optical_flow.iter_optical_flow(iter(frames), engine=engine))
    np.testing.assert_array_equal(
        streamed, optical_flow.optical_flow(frames, engine=engine)
    )


@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_stream_holds_the_frames_in_work_only(num_threads):
    taken = 0

    def frames():
        nonlocal taken
        for frame in moving_pattern(40, 1, 0, size=16):
            taken += 1
            yield frame

    flows = optical_flow.iter_optical_flow(frames(), num_threads=num_threads)
    for count, _ in enumerate(flows, 1):
        assert taken <= count + 2 * num_threads
    assert count == 39


def test_a_stream_that_is_closed_stops_its_threads():
    before = threading.active_count()
    flows = optical_flow.iter_optical_flow(
        moving_pattern(40, 1, 0), num_threads=2, engine="numba"
    )
    next(flows)
    assert threading.active_count() > before
    flows.close()
    assert threading.active_count() == before


def test_frames_of_other_sizes_in_a_stream():
    frames = [np.zeros((16, size, 3), np.uint8) for size in (16, 16, 17)]
    flows = optical_flow.iter_optical_flow(frames, num_threads=1)
    next(flows)
    with pytest.raises(ValueError, match=r"one size.*\(16, 16, 3\).*\(16, 17, 3\)"):
        next(flows)


def test_flow_of_mirrored_frames_is_flipped_flow():
    frames = moving_pattern(3, 1.5, 0.5)
    mirrored = optical_flow.optical_flow(transforms.flip(frames))
    expected = transforms.flip_flow(optical_flow.optical_flow(frames))
    assert np.abs(mirrored - expected)[:, 8:-8, 8:-8].mean() < 0.1


@ENGINES
def test_progress_bar_is_on_standard_error(capsys, engine):
    optical_flow.optical_flow(moving_pattern(3, 1, 0), progress=True, engine=engine)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "TV-L1 flow: 100%" in captured.err


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((1, 64, 64, 3), np.uint8), "at least two frames.*Received: 1"),
        (np.zeros((0, 64, 64, 3), np.uint8), "at least two frames.*Received: 0"),
        (np.zeros((2, 64, 64, 3), np.float32), "uint8 RGB .*Received: float32"),
        (np.zeros((2, 64, 64), np.uint8), r"uint8 RGB .*\(2, 64, 64\)"),
        (np.zeros((2, 15, 64, 3), np.uint8), "at least 16 .*64x15"),
        (np.zeros((2, 16, 32767, 3), np.uint8), "at most 32766 .*32767x16"),
    ],
)
def test_bad_frames(frames, message):
    with pytest.raises(ValueError, match=message):
        optical_flow.optical_flow(frames)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "cuda"}, "engine must be one of .*'numba'.* Received: 'cuda'"),
        ({"engine": "keras", "num_threads": 2}, "num_threads is for flow on CPU"),
        ({"num_threads": 0}, "num_threads must be at least 1. Received: 0"),
        ({"epsilon": 0}, "epsilon must be above 0 pixels. Received: 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        optical_flow.optical_flow(moving_pattern(2, 1, 0), **options)


@pytest.fixture(scope="module")
def sample(shared):
    """The release's sample clip, its flow, and OpenCV's of 8 pairs, which is slow.

    The GIF of the flow holds flow / 20 + 0.5 in R (x) and G (y).
    """
    folder = shared / "release" / "sample"
    frames = read_video(folder / "v_CricketShot_g04_c01_rgb.gif")
    image = read_video(folder / "v_CricketShot_g04_c01_flow.gif")
    assert frames.shape == image.shape == (79, 224, 224, 3)
    released = (image[:-1, ..., :2].astype(np.float32) / 255 - 0.5) * 20
    return frames, released, optical_flow.optical_flow(frames[:9], engine="opencv")


@pytest.mark.slow
def test_opencvs_flow_of_the_sample_clip_is_the_releases(sample):
    _, released, opencvs = sample
    assert np.linalg.norm(opencvs - released[:8], axis=-1).mean() <= 0.175


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "count", "from_release", "from_opencv"),
    # OpenCV 4 rounds the weights of its interpolation.
    [("numba", 79, 0.181, 0.02 if OPENCV >= 5 else 0.1), ("keras", 9, 0.175, 0.05)],
)
def test_flow_of_the_sample_clip(sample, engine, count, from_release, from_opencv):
    frames, released, opencvs = sample
    received = optical_flow.optical_flow(frames[:count], engine=engine)
    error = np.linalg.norm(received - released[: count - 1], axis=-1)
    assert error.mean() <= from_release
    assert np.linalg.norm(received[:8] - opencvs, axis=-1).mean() <= from_opencv


def test_normalize_flow():
    values = np.zeros((1, 1, 3, 2), np.float32)
    values[0, 0] = [[0, 10], [-20, 20], [-55, 30]]
    normalized = optical_flow.normalize_flow(values)
    assert normalized.dtype == np.float32
    assert normalized[0, 0].tolist() == [[0, 0.5], [-1, 1], [-1, 1]]
    assert optical_flow.normalize_flow(values, bound=10)[0, 0, 0].tolist() == [0, 1]


@pytest.mark.parametrize("bound", [0, -1, float("nan")])
def test_bad_bound(bound):
    with pytest.raises(ValueError, match="bound must be greater than 0"):
        optical_flow.normalize_flow(np.zeros((4, 4, 2)), bound=bound)


def test_8_bit_code():
    pixels = np.array([[[-30.0, -20.0], [0.0, 0.1], [20.0, 99.0]]])
    code = optical_flow.encode_flow(pixels)
    assert code.dtype == np.uint8
    assert code.tolist() == [[[0, 0, 0], [127, 128, 0], [255, 255, 0]]]


def test_8_bit_code_comes_back_within_a_step():
    pixels = np.linspace(-20, 20, 2000).reshape(10, 100, 2)
    decoded = optical_flow.decode_flow(optical_flow.encode_flow(pixels))
    assert decoded.dtype == np.float32
    assert 0 <= (pixels - decoded).min() + 1e-5
    assert (pixels - decoded).max() <= 40 / 255
    assert (
        abs(
            optical_flow.decode_flow(optical_flow.encode_flow(np.zeros((1, 1, 2))))
        ).max()
        <= 0.0785
    )


@pytest.mark.parametrize(
    ("function", "channels"),
    [
        (optical_flow.normalize_flow, 3),
        (optical_flow.encode_flow, 3),
        (optical_flow.decode_flow, 2),
    ],
)
def test_wrong_channels(function, channels):
    with pytest.raises(ValueError, match="Expected .*height, width"):
        function(np.zeros((4, 4, channels), np.uint8))
