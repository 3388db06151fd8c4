"""What is written for a server: version folders and requests that warm it up."""

import re

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, saved_model_pb2

from kinetics_i3d_tf2.export import saved_model
from kinetics_i3d_tf2.export.signatures import Signatures
from kinetics_i3d_tf2.utils.tensorflow_errors import as_write_errors


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
    assert saved_model.next_version(tmp_path) == tmp_path / expected


@pytest.fixture(scope="module")
def written(models, tmp_path_factory):
    """The functions of one stream, and the folder that holds them."""
    stream = {"rgb": models["rgb"]}
    functions = Signatures(stream, tuple("abcdefg"), top=3).concrete_functions()
    path = tmp_path_factory.mktemp("served") / "1"
    saved_model.write(functions, path, texts={"class_names": "[]"})
    return functions, path


@pytest.fixture(scope="module")
def run(written):
    """Function from frames to labels, in the graph as a server loads it."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(written[1]))
    signature = loaded.signature_def["serving_default"]
    options = config_pb2.CallableOptions(
        feed=[signature.inputs["frames"].name],
        fetch=[signature.outputs["labels"].name],
    )
    yield session._make_callable_from_options(options)
    session.close()


def test_what_is_read_is_what_was_written(written):
    functions, path = written
    frames = np.zeros((1, 9, 224, 224, 3), np.uint8)
    frames[:, :, 50:150] = np.arange(0, 90, 10).reshape(1, 9, 1, 1, 1)
    loaded = saved_model.load(path)
    assert set(loaded) == set(functions)
    received = loaded["serving_default"](frames=frames)
    expected = functions["serving_default"](frames=tf.constant(frames))
    for name in expected:
        np.testing.assert_array_equal(received[name], expected[name])
    assert not (path / saved_model.WARMUP).exists()
    extra = path / saved_model.EXTRA
    assert [file.name for file in extra.iterdir()] == ["class_names.json"]
    assert (extra / "class_names.json").read_text() == "[]\n"


def test_the_graph_asks_for_no_xla(written):
    content = (written[1] / "saved_model.pb").read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    functions = graph.graph_def.library.function
    nodes = [*graph.graph_def.node, *(n for f in functions for n in f.node_def)]
    assert len(nodes) > 1000
    for node in (*nodes, *functions):
        assert not node.attr["_XlaMustCompile"].b
    assert not [node.op for node in nodes if node.op.startswith("Xla")]


@pytest.mark.parametrize(
    "shape",
    [
        (9, 224, 224, 3),
        (1, 9, 224, 224),
        (1, 9, 224, 224, 4),
        (1, 9, 224, 224, 3, 1),
        (),
    ],
    ids=str,
)
def test_the_graph_itself_refuses_other_ranks_and_channels(run, shape):
    """A server feeds what it is sent; only Python's functions look at it before."""
    received = re.escape("[" + " ".join(map(str, shape)) + "]")
    expected = f"frames: expected .* 3 channels.*{received}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        run(np.zeros(shape, np.uint8))
    assert run(np.zeros((1, 9, 200, 200, 3), np.uint8))[0].shape == (1, 3)


def test_requests_that_warm_up_are_answered(written, tmp_path):
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    functions, _ = written
    saved_model.write(functions, tmp_path / "1", model_name="mine")
    loaded = saved_model.load(tmp_path / "1")
    answered = []
    for record in tf.data.TFRecordDataset(str(tmp_path / "1" / saved_model.WARMUP)):
        log = apis.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "mine"
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        answer = loaded[request.model_spec.signature_name](
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
        assert answer["labels"].shape == (1, 3)
        answered.append(request.model_spec.signature_name)
    assert answered == ["serving_default", "encoded_frames"]


def test_a_full_disk_names_the_folder(tmp_path):
    """TensorFlow's error has a stack of its own operations."""
    message = "{{function_node x}} data.tempstate; No space left on device [Op:SaveV2]"
    with pytest.raises(
        OSError, match=f"{tmp_path}/2: cannot be written: No space left on device$"
    ):
        with as_write_errors(tmp_path / "2"):
            raise tf.errors.ResourceExhaustedError(None, None, f"trace\n{message}")
