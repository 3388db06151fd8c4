"""What exported files say about their classes and preprocessing."""

import json

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.export import export_model as engine
from kinetics_i3d_tf2.export import metadata
from kinetics_i3d_tf2.models.two_stream import TwoStream
from kinetics_i3d_tf2.video import optical_flow, transforms

NAMES = tuple("abcdefg")


def described(models, clip=None):
    texts = metadata.describe(models, NAMES, clip or ClipRecipe())
    assert json.loads(texts["class_names"]) == list(NAMES)
    return json.loads(texts["preprocessing"])


def test_the_numbers_are_the_librarys(small_model):
    found = described({"rgb": small_model})
    frames = np.random.default_rng(0).integers(0, 256, (9, 300, 400, 3), np.uint8)
    resized = transforms.resize_short_side(frames)
    assert min(resized.shape[1:3]) == found["short_side"] == 256
    clip = transforms.center_crop(resized)
    assert clip.shape[1] == found["center_crop"] == 224
    rgb = found["inputs"]["rgb"]
    assert rgb["axes"] == ["batch", "frames", "height", "width", "channels"]
    assert rgb["range"] == [-1, 1]
    assert rgb["normalization"].startswith("pixel / 127.5 - 1,")
    np.testing.assert_allclose(
        transforms.normalize_rgb(clip), clip / 127.5 - 1, atol=1e-6
    )
    assert (found["frames_per_second"], found["min_frames"]) == (25, 9)
    assert {rgb[name] for name in ("frames", "height", "width")} == {"any"}


def test_flow_and_fixed_sizes():
    model = recipe.assign(TwoStream(7, snippet=4, width=1 / 16))
    clip = ClipRecipe("joint", num_frames=4, rgb_stride=4, windowed=True)
    found = described({"joint": model}, clip)
    assert list(found["inputs"]) == ["rgb", "flow"]
    assert found["inputs"]["flow"]["frames"] == 4
    assert found["inputs"]["flow"]["normalization"].startswith(
        "clip(displacement, -20, 20) / 20"
    )
    flow = np.array([[[30.0, -5.0]]], np.float32)
    np.testing.assert_allclose(optical_flow.normalize_flow(flow), [[[1.0, -0.25]]])
    assert "min_frames" not in found


def test_options_of_another_format(small_model, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra onnx is not installed")
    with pytest.raises(ValueError, match="onnx files take no options other than reci"):
        engine.export_model(
            {"rgb": small_model},
            NAMES,
            tmp_path / "i3d.onnx",
            format="onnx",
            options=engine.ExportOptions(top=3),
        )
