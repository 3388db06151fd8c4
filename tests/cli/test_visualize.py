"""Pictures of the first kernels of all kinds of networks."""

import numpy as np
import programs
import pytest
import recipe as weights

from kinetics_i3d_tf2 import InceptionI3d, TwoStream, save_checkpoint
from kinetics_i3d_tf2.visualization import filters
from kinetics_i3d_tf2.visualization.filters import Kernels

pytest.importorskip("matplotlib", reason="the extra plot is not installed")

FIRST = "Conv3d_1a_7x7"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    models = {
        "rgb": InceptionI3d(final_endpoint=FIRST, width=1 / 8),
        "flow": InceptionI3d(final_endpoint=FIRST, width=1 / 8, num_channels=2),
        "joint": TwoStream(3, width=1 / 8, snippet=4),
    }
    for name, model in models.items():
        save_checkpoint(weights.assign(model), folder / name / "model.ckpt")
    return folder


@pytest.fixture(scope="module")
def run():
    """Runs the program; returns its exit status, output and standard error."""
    with programs.running("visualize") as send:
        yield send


def test_kernels_of_each_network(checkpoints):
    (rgb,) = filters.read(checkpoints / "rgb")
    assert (rgb.title, rgb.values.shape) == ("RGB (3D)", (7, 7, 7, 3, 8))
    (flow,) = filters.read(checkpoints / "flow")
    assert (flow.title, flow.values.shape) == ("optical flow (3D)", (7, 7, 7, 2, 8))
    flow, rgb = filters.read(checkpoints / "joint")
    assert rgb.title == "RGB, single frames (2D)"
    assert rgb.values.shape == (1, 7, 7, 3, 8)
    assert flow.values.shape == (4, 7, 7, 2, 8)


def test_a_kernel_is_grey_where_it_is_0_and_scaled_by_its_largest():
    values = np.zeros((1, 2, 2, 3, 4), np.float32)
    values[0, 0, 0, :, 0] = (0.1, 0, -0.1)
    values[0, 1, 1, :, 3] = (5, 5, 5)
    (sheet,) = filters.pictures_of(Kernels("", values, True))
    assert sheet.shape == (23, 23, 3)  # Two kernels of 10 pixels and a gap of 3.
    assert sheet[0, 0].tolist() == [255, 128, 0]
    assert sheet[0, 9].tolist() == [128, 128, 128]
    assert sheet[11, 11].tolist() == [255, 255, 255]
    assert sheet[22, 22].tolist() == [255, 255, 255]
    assert sheet[13, 13].tolist() == [128, 128, 128]


def test_the_pictures(run, checkpoints, tmp_path):
    names = [checkpoints / name for name in ("flow", "rgb", "joint")]
    status, printed, error = run("filters", *names, f"--out={tmp_path}/kernels")
    assert status == 0, error
    assert "RGB (3D): 8 kernels, RGB/inception_i3d/Conv3d_1a_7x7/conv_3d/w" in printed
    png, gif = (tmp_path / f"kernels.{suffix}" for suffix in ("png", "gif"))
    from PIL import Image

    with Image.open(png) as image:
        assert image.width == round(150 * 2.2 * 7)
    with Image.open(gif) as image:
        assert (image.format, image.n_frames) == ("GIF", 7)
    assert sorted(tmp_path.iterdir()) == [gif, png]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to draw; type i3d visualize filters"),
        (["kernels", "a"], "nothing to draw"),
        (["filters"], "nothing to draw"),
        (["filters", "absent"], "there is no such checkpoint"),
        (["filters", "a", "--out=/absent/b"], "there is no such folder"),
    ],
    ids=lambda value: (
        "_".join(value).replace("/", "") if isinstance(value, list) else ""
    ),
)
def test_wrong_arguments(run, arguments, message):
    status, printed, error = run(*arguments)
    assert (status, printed) == (2, "")
    assert message in error


def test_a_checkpoint_without_such_kernels(run, checkpoints, tmp_path):
    from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import write_bundle

    write_bundle(tmp_path / "model.ckpt", {"x/w": np.zeros(3, np.float32)})
    status, _, error = run("filters", tmp_path)
    assert status == 2
    assert "has no convolution Conv3d_1a_7x7 or Conv2d_1a_7x7" in error
