"""What is written for a server: version folders and requests that warm it up."""

import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2 import servable
from kinetics_i3d_tf2.signatures import Signatures


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "1"),
        (["1"], "2"),
        (["1", "9", "10"], "11"),
        (["3", ".4", "5a", "old"], "4"),
        (["0"], "1"),
    ],
)
def test_versions_count_up(tmp_path, there, expected):
    for name in there:
        (tmp_path / name).mkdir()
    assert servable.next_version(tmp_path) == tmp_path / expected


@pytest.fixture(scope="module")
def written(small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "1"
    functions = Signatures({"rgb": small_model}, "abcdefg").concrete_functions()
    servable.write(functions, path)
    return functions, path


def test_what_is_read_is_what_was_written(written):
    functions, path = written
    frames = np.random.default_rng(0).integers(0, 256, (1, 9, 224, 224, 3), np.uint8)
    loaded = servable.load(path)
    assert set(loaded) == set(functions)
    received = loaded["serving_default"](frames=frames)
    expected = functions["serving_default"](frames=tf.constant(frames))
    for name in expected:
        np.testing.assert_array_equal(received[name], expected[name])
    assert not (path / servable.WARMUP).exists()


def test_the_graph_asks_for_no_xla(written):
    content = (written[1] / "saved_model.pb").read_bytes()
    assert b"XlaCallModule" not in content
    assert b"_XlaMustCompile\x12\x02(\x01" not in content  # The attribute, true.


def test_requests_that_warm_up_are_answered(written, tmp_path):
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    functions, _ = written
    servable.write(functions, tmp_path / "1", model_name="mine")
    loaded = servable.load(tmp_path / "1")
    answered = []
    for record in tf.data.TFRecordDataset(str(tmp_path / "1" / servable.WARMUP)):
        log = apis.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "mine"
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        answer = loaded[request.model_spec.signature_name](
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
        assert answer["labels"].shape == (1, 7)
        answered.append(request.model_spec.signature_name)
    assert answered == ["serving_default", "encoded_frames"]
