"""ONNX files: names of axes, and values of other dtypes."""

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.export import formats

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
NAMES = tuple("abcdefg")


@pytest.fixture
def path(tmp_path):
    """File to write; without the extra the test is skipped."""
    try:
        formats.check(tmp_path / "i3d.onnx", "onnx")
    except ValueError as error:
        pytest.skip(str(error))
    return tmp_path / "i3d.onnx"


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (["rgb"], {"rgb": ["batch", "frames", "height", "width", 3]}),
        (
            ["rgb", "flow"],
            {
                "rgb": ["batch", "frames", "height", "width", 3],
                "flow": ["batch", "flow_frames", "height", "width", 2],
            },
        ),
    ],
    ids=["rgb", "joint"],
)
def test_axes_have_names(names, axes, models, write_once):
    path, _ = write_once("onnx", *names)
    model = onnx.load(path)
    onnx.checker.check_model(model)
    found = {
        value.name: [
            dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim
        ]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert found == {**axes, "logits": ["batch", "classes"]}
    assert "unk__" not in str(model.graph)
    # Nothing ties the lengths of the streams to each other.
    clips = {"rgb": recipe.clip(12, 3), "flow": recipe.clip(10, 2)}
    clips = {name: clips[name] for name in names}
    expected = sum(models[name](clips[name]).numpy() for name in names)
    received = formats.run(path, "onnx", clips)
    np.testing.assert_allclose(received, expected, atol=1e-4)


@pytest.mark.slow
def test_a_dense_model_gives_dense_logits(path):
    model = recipe.assign(InceptionI3d(7, width=1 / 16, temporal="dense"))
    formats.write({"rgb": model}, NAMES, path, "onnx", num_frames=17)
    (value,) = onnx.load(path).graph.output
    axes = [dim.dim_param for dim in value.type.tensor_type.shape.dim]
    assert axes == ["batch", "places", "classes"]
    clip = recipe.clip(33, 3, batch=2)
    received = formats.run(path, "onnx", {"rgb": clip})
    np.testing.assert_allclose(received, model(clip), atol=1e-4)
    clip[1, 0, 0, 0] = 2  # Outside [-1, 1].
    received = formats.run(path, "onnx", {"rgb": clip})
    assert np.isfinite(received[0]).all() and np.isnan(received[1]).all()


def test_uint8_is_refused(write_once):
    path, _ = write_once("onnx", "rgb")
    pixels = np.zeros((1, 9, 224, 224, 3), np.uint8)
    with pytest.raises(Exception, match=r"uint8.*expected: \(tensor\(float\)\)"):
        formats.run(path, "onnx", {"rgb": pixels})
