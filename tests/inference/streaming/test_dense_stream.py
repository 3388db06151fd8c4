"""A stream gives the dense logits of the whole clip, however its frames come."""

import re

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.inference.streaming import dense_stream
from kinetics_i3d_tf2.inference.streaming.dense_stream import DenseStream
from kinetics_i3d_tf2.inference.streaming.pieces import CountError
from kinetics_i3d_tf2.inference.streaming.stream_graph import StreamGraph


@pytest.fixture(scope="module")
def model():
    return recipe.assign(InceptionI3d(7, width=1 / 16), 3)


@pytest.fixture(scope="module")
def graph(model):
    return StreamGraph(model)


@pytest.fixture(scope="module")
def clip():
    return recipe.clip(112, 3)[0]


@pytest.fixture(scope="module")
def run_whole(model):
    dense = model.endpoint_model(["Logits"], temporal="dense")
    return lambda clip: np.asarray(dense(clip[None])["Logits"])[0]


@pytest.fixture(scope="module")
def whole(run_whole, clip):
    return run_whole(clip)


def streamed(stream, clip, counts):
    found = []
    for count in counts:
        frames, clip = clip[:count], clip[count:]
        found.append(stream.add(frames))
        assert sum(map(len, found)) == stream.places
    assert not len(clip)
    found.append(stream.finish())
    return np.concatenate(found)


@pytest.mark.parametrize(
    "counts", [[8] * 14, [0, 5, 64, 0, 40, 3]], ids=["eights", "any"]
)
def test_any_split(graph, clip, whole, counts, monkeypatch):
    monkeypatch.setattr(dense_stream, "_FAR", 10)
    found = streamed(DenseStream(graph), clip, counts)
    np.testing.assert_allclose(found, whole, atol=1e-4)
    assert np.ptp(found, axis=0).max() > 1e-2


def test_a_place_comes_64_frames_after_its_beginning(graph, clip, whole):
    stream = DenseStream(graph)
    assert stream.add(clip[:63]).shape == (0, 7)
    np.testing.assert_allclose(stream.add(clip[63:64]), whole[:1], atol=1e-4)
    assert stream.add(clip[64:71]).shape == (0, 7)
    np.testing.assert_allclose(stream.add(clip[71:87]), whole[1:3], atol=1e-4)
    assert (stream.frames, stream.places) == (87, 3)


@pytest.mark.slow
def test_larger_parts(model, clip, whole):
    found = streamed(DenseStream(model, part=32), clip, [50, 62])
    np.testing.assert_allclose(found, whole, atol=1e-4)


@pytest.mark.slow
def test_frames_of_another_size(graph, run_whole):
    clip = recipe.clip(24, 3, size=256)[0, :, :209, :250]
    found = streamed(DenseStream(graph), clip, [24])
    np.testing.assert_allclose(found, run_whole(clip), atol=1e-4)


@pytest.mark.parametrize("count", [45, pytest.param(9, marks=pytest.mark.slow)])
def test_a_known_number_of_frames(graph, clip, run_whole, count):
    found = streamed(DenseStream(graph, num_frames=count), clip[:count], [count])
    np.testing.assert_allclose(found, run_whole(clip[:count]), atol=1e-4)


@pytest.mark.parametrize(("count", "end"), [(1, 16), (16, 16), (33, 40)])
def test_the_last_frame_is_repeated(graph, clip, run_whole, count, end):
    found = streamed(DenseStream(graph), clip[:count], [count])
    repeated = clip[np.arange(end).clip(max=count - 1)]
    np.testing.assert_allclose(found, run_whole(repeated), atol=1e-4)


def test_pixels(graph):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 224, 224, 3), np.uint8)
    found = streamed(DenseStream(graph), pixels, [16])
    expected = streamed(DenseStream(graph), pixels / np.float32(127.5) - 1, [16])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_another_number_of_frames_than_expected(graph, clip):
    stream = DenseStream(graph, num_frames=45)
    stream.add(clip[:24])
    with pytest.raises(CountError) as caught:
        stream.finish()
    assert caught.value.count == 24


def _finished(graph):
    stream = DenseStream(graph)
    stream.add(np.zeros((1, 224, 224, 3), np.float32))
    stream._is_finished = True
    return stream


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda graph: StreamGraph(graph.model, part=12),
            "a multiple of 8 frames. Received: 12",
        ),
        (
            lambda graph: StreamGraph(
                InceptionI3d(width=1 / 16, final_endpoint="Mixed_5c")
            ),
            "Logits",
        ),
        (lambda graph: DenseStream(graph, num_frames=8), "at least 9, or None"),
        (lambda graph: DenseStream(graph).finish(), "Received: 0 frames"),
        (lambda graph: _finished(graph).finish(), "1 frames and an end"),
        (
            lambda graph: _finished(graph).add(np.zeros((1, 224, 224, 3))),
            "begin another DenseStream",
        ),
        (
            lambda graph: DenseStream(graph).add(np.zeros((224, 224, 3))),
            "(n, height, width, channels)",
        ),
        (
            lambda graph: DenseStream(graph).add(np.zeros((1, 100, 224, 3))),
            "at least 193 pixels",
        ),
        (
            lambda graph: DenseStream(graph).add(np.zeros((1, 224, 224, 2))),
            "takes clips of 3 channels",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_use(graph, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(graph)
