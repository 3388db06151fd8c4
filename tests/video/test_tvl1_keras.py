"""TV-L1 in keras.ops, its steps and the whole, against OpenCV's."""

import itertools

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2.video import keras_images, tvl1_keras
from kinetics_i3d_tf2.video import optical_flow as flow


def textures(count, height, width, *, step=(1, 2), seed=0):
    """Grey frames of a smooth texture that moves, float32 in 0..255."""
    rng = np.random.default_rng(seed)
    size = height + 80, width + 80
    noise = cv2.GaussianBlur(rng.uniform(0, 255, size), (0, 0), 2)
    whole = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).round()
    crops = [whole[i * step[0] :, i * step[1] :][:height, :width] for i in range(count)]
    return np.stack(crops).astype(np.float32)


def opencv_flow(grey, **parameters):
    engine = cv2.optflow.DualTVL1OpticalFlow_create(**parameters)
    grey = grey.astype(np.uint8)
    return np.stack([engine.calc(*pair, None) for pair in itertools.pairwise(grey)])


def end_point_error(flow, reference):
    return np.linalg.norm(np.asarray(flow) - reference, axis=-1).mean()


def test_defaults_are_the_same():
    assert (tvl1_keras.EPSILON, tvl1_keras.MIN_SIDE) == (flow.EPSILON, 16)


def test_grey_is_opencvs_to_the_bit():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 65, 3), np.uint8)
    expected = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    received = np.asarray(tvl1_keras.grey(frames))
    assert received.dtype == np.float32
    np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("size", [(224, 224), (37, 50), (16, 91)], ids=str)
def test_scales_are_opencvs(size):
    image = np.random.default_rng(0).uniform(0, 255, size).astype(np.float32)
    smaller = cv2.resize(image, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_LINEAR)
    after = tuple((4 * side + 2) // 5 for side in size)
    received = keras_images.resize(image[None, None], after, ratio=(5, 4))[0, 0]
    np.testing.assert_allclose(received, smaller, atol=1e-3)
    larger = cv2.resize(smaller, size[::-1], interpolation=cv2.INTER_LINEAR)
    received = keras_images.resize(smaller[None, None], size)[0, 0]
    np.testing.assert_allclose(received, larger, atol=1e-3)


def test_warping_is_opencvs_but_for_its_steps_of_a_32nd():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.uniform(0, 255, (40, 50)), (0, 0), 2).astype("f4")
    # Multiples of 1/32, which are what OpenCV rounds to; some places are outside.
    flow = (rng.integers(-300, 300, (2, 40, 50)) / 32).astype(np.float32)
    y, x = np.mgrid[:40, :50].astype(np.float32)
    taps = keras_images.taps(image[None])
    values, slopes = keras_images.warp(taps, flow[:, None])
    expected = cv2.remap(image, x + flow[0], y + flow[1], cv2.INTER_CUBIC)
    np.testing.assert_allclose(values[0], expected, atol=1e-2)
    edged = np.pad(image, 1, "edge")
    for slope, ahead, behind in (
        (slopes[0], edged[1:-1, 2:], edged[1:-1, :-2]),
        (slopes[1], edged[2:, 1:-1], edged[:-2, 1:-1]),
    ):
        source = (ahead - behind) / 2
        expected = cv2.remap(source, x + flow[0], y + flow[1], cv2.INTER_CUBIC)
        np.testing.assert_allclose(slope[0], expected, atol=1e-2)


def test_median_is_opencvs():
    images = np.random.default_rng(0).normal(size=(2, 3, 19, 23)).astype(np.float32)
    received = np.asarray(keras_images.median(images))
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(received[index], cv2.medianBlur(images[index], 5))


def test_median_network_is_proved_by_zeros_and_ones():
    """A network that is right for all of them is right for all numbers."""
    rng = np.random.default_rng(0)
    for share in np.linspace(0.3, 0.7, 9):
        images = (rng.uniform(size=(2, 1, 60, 60)) < share).astype(np.float32)
        expected = [cv2.medianBlur(image[0], 5) for image in images]
        np.testing.assert_array_equal(
            np.asarray(keras_images.median(images))[:, 0], expected
        )


@pytest.fixture
def two_scales(monkeypatch):
    """Fewer than five, each of which is traced and compiled."""
    monkeypatch.setattr(tvl1_keras, "SCALES", 2)


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ((17, 40), (0, 1)),  # Fewer scales than five.
        ((16, 16), (0, 0)),
    ],
    ids=str,
)
def test_flow_is_opencvs(size, step):
    """Op by op, which takes longer than a graph."""
    grey = textures(3, *size, step=step)
    received = tvl1_keras.tvl1_flow(grey[:-1], grey[1:])
    assert received.shape == (2, *size, 2)
    assert end_point_error(received, opencv_flow(grey)) <= 0.05


def graph(**options):
    """One graph for frames of any size and number."""
    spec = tf.TensorSpec((None, None, None))
    return tf.function(
        lambda first, second: tvl1_keras.tvl1_flow(first, second, **options),
        input_signature=[spec, spec],
        autograph=False,
        jit_compile=False,
    )


@pytest.fixture(scope="module")
def free_sizes():
    return graph(pairs=2)


def test_epsilon_is_opencvs(free_sizes):
    grey = textures(3, 24, 40)
    coarse = tvl1_keras.tvl1_flow(grey[:-1], grey[1:], epsilon=0.1)
    assert end_point_error(coarse, opencv_flow(grey, epsilon=0.1)) <= 0.05
    fine = free_sizes(grey[:-1], grey[1:])
    assert np.abs(coarse - fine).max() > 1e-3


def test_a_pair_does_not_depend_on_the_others(two_scales):
    """Among them one that is still, and one that settles late."""
    grey = textures(4, 40, 48, step=(0, 1))
    first, second = grey[[0, 0, 1, 0, 2]], grey[[1, 0, 3, 3, 3]]
    one_by_one = graph(pairs=1)
    expected = [one_by_one(first[i : i + 1], second[i : i + 1])[0] for i in range(5)]
    for flow_of in (one_by_one, graph(pairs=2), graph(pairs=None)):
        received = flow_of(first, second)
        # Graphs round differently, which may end the iterations one earlier or later.
        assert end_point_error(received, np.stack(expected)) <= 0.05
        assert not np.asarray(received)[1].any()


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ((48, 56), (1, 2)),
        ((16, 16), (1, 2)),
        ((20, 33), (1, 2)),
        ((65, 47), (2, 0)),
        ((120, 100), (3, 1)),
    ],
    ids=str,
)
def test_one_graph_serves_all_sizes(free_sizes, size, step):
    grey = textures(4, *size, step=step)
    received = free_sizes(grey[:-1], grey[1:])
    assert end_point_error(received, opencv_flow(grey)) <= 0.05


def test_within_a_pipeline(two_scales):
    grey = textures(3, 32, 40)
    pairs = tf.data.Dataset.from_tensor_slices((grey[:-1], grey[1:])).batch(2)
    (received,) = pairs.map(tvl1_keras.tvl1_flow)
    assert end_point_error(received, opencv_flow(grey, nscales=2)) <= 0.05


def test_compiled_by_xla(two_scales):
    grey = textures(3, 32, 40)
    flow = tf.function(tvl1_keras.tvl1_flow, jit_compile=True)(grey[:-1], grey[1:])
    assert end_point_error(flow, opencv_flow(grey, nscales=2)) <= 0.05


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        ((2, 64, 64, 1), (2, 64, 64), {}, r"grey frames.*\(2, 64, 64, 1\)"),
        ((2, 15, 64), (2, 15, 64), {}, "at least 16 pixels.*15, 64"),
        ((2, 32, 32), (1, 32, 32), {}, r"one shape.*\(2, 32, 32\) and \(1, 32, 32\)"),
        ((1, 32, 32), (1, 32, 32), {"epsilon": 0}, "epsilon must be above 0"),
        ((1, 32, 32), (1, 32, 32), {"epsilon": np.inf}, "above 0 pixels.*inf"),
        ((1, 32, 32), (1, 32, 32), {"pairs": 0}, "pairs must be at least 1.*0"),
    ],
)
def test_mistakes(first, second, options, message):
    with pytest.raises(ValueError, match=message):
        tvl1_keras.tvl1_flow(np.zeros(first, "f4"), np.zeros(second, "f4"), **options)


def test_grey_takes_three_channels():
    with pytest.raises(ValueError, match=r"RGB frames.*\(2, 32, 32\)"):
        tvl1_keras.grey(np.zeros((2, 32, 32), np.uint8))
