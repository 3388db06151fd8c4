"""Protocols of evaluation against plain computations with the model itself."""

import built_models
import numpy as np
import pytest
import recipe as weights
from record_files import write_records
from videos import write_video

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.checkpoints import config
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import (
    BundleReader,
    write_bundle,
)
from kinetics_i3d_tf2.data import frame_reader, labels, prefetch
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.evaluation import protocols, scored_models
from kinetics_i3d_tf2.video import transforms

NAMES = ("wave", "run", "jump")
SIDE, CROP = 200, 193


@pytest.fixture(scope="module")
def networks():
    """A narrow network of each stream."""
    return {
        name: built_models.narrow_i3d(3, channels, seed)
        for seed, (name, channels) in enumerate({"rgb": 3, "flow": 2}.items())
    }


@pytest.fixture(scope="module")
def checkpoints(networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, network in networks.items():
        scope = {"rgb": "RGB", "flow": "Flow"}[name]
        save_checkpoint(network, folder / name / "model.ckpt", scope=scope)
        labels.write_label_map(folder / name / "label_map.txt", NAMES)
    return folder


@pytest.fixture(scope="module")
def models(checkpoints):
    return {
        name: scored_models.Model(checkpoints / name, name) for name in ("rgb", "flow")
    }


def clip(frames=12, coded=True):
    """Sine waves: 8-bit RGB, and one flow less, as its code or in [-1, 1]."""
    rgb = weights.clip(frames, 3, size=220)[0, :, :SIDE]
    motion = weights.clip(frames - 1, 2, size=220, seed=1)[0, :, :SIDE]
    rgb = ((rgb + 1) * 127.5).clip(0, 255).astype(np.uint8)
    if coded:
        motion = ((motion + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return {"rgb": rgb, "flow": motion}


def in_range(stream):
    return stream / np.float32(127.5) - 1 if stream.dtype == np.uint8 else stream


def mirrored(name, view):
    return transforms.flip(view) if name == "rgb" else transforms.flip_flow(view)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def plain_logits(networks, views, flip):
    """`(views, classes)` of each stream and joint."""
    logits = {}
    for name, of_stream in views.items():
        all_views = of_stream + [mirrored(name, v) for v in of_stream] * flip
        batch = np.stack(all_views).astype(np.float32)
        logits[name] = np.asarray(networks[name](batch), np.float64)
    return logits | {"joint": logits["rgb"] + logits["flow"]}


@pytest.mark.parametrize(
    ("crop", "coded", "flip"),
    [(CROP, True, False), (CROP, True, True), (CROP, False, True), (SIDE, True, False),
     (SIDE, False, True)],
    ids=["whole", "whole-flip", "whole-video-flip", "convolutional",
         "convolutional-video-flip"],
)  # fmt: skip
def test_whole_clips(networks, models, crop, coded, flip):
    source = clip(coded=coded)
    recipe = ClipRecipe("joint", short_side=SIDE, crop_size=crop)
    found = protocols.score(models, source, protocols.Protocol(recipe, flip=flip))
    views = {
        name: [in_range(transforms.center_crop(stream, crop))]
        for name, stream in source.items()
    }
    expected = plain_logits(networks, views, flip)
    assert list(found) == ["rgb", "flow", "joint"]
    for name, (scores, probabilities) in found.items():
        np.testing.assert_allclose(scores, expected[name].mean(0), atol=1e-4)
        np.testing.assert_allclose(probabilities, softmax(scores), atol=1e-12)


@pytest.mark.parametrize(("flip", "batch_size"), [(False, 1), (False, 4), (True, 4)])
def test_views(networks, models, batch_size, flip):
    source = clip(frames=14)
    recipe = ClipRecipe("joint", num_frames=9, short_side=SIDE, crop_size=CROP)
    protocol = protocols.Protocol(recipe, (2, 3), flip, batch_size)
    found = protocols.score(models, source, protocol)
    # 14 frames have 13 flows: of nine frames, the last clip begins at the fifth.
    views = {
        name: [
            in_range(stream[start : start + 9, 3 : 3 + CROP, left : left + CROP])
            for start in (0, 4)
            for left in (0, 13, 27)
        ]
        for name, stream in source.items()
    }
    for name, logits in plain_logits(networks, views, flip).items():
        expected = softmax(logits).mean(0)
        np.testing.assert_allclose(found[name][0], expected, atol=1e-5)
        np.testing.assert_allclose(found[name][1], expected, atol=1e-5)


def test_one_stream(networks, models):
    source = {"rgb": clip()["rgb"]}
    recipe = ClipRecipe("rgb", short_side=SIDE, crop_size=CROP)
    found = protocols.score({"rgb": models["rgb"]}, source, protocols.Protocol(recipe))
    assert list(found) == ["rgb"]
    assert scored_models.scored_names({"rgb": models["rgb"]}) == ("rgb",)


def test_bfloat16_is_near(checkpoints, models):
    source = {"rgb": clip()["rgb"]}
    protocol = protocols.Protocol(ClipRecipe(short_side=SIDE, crop_size=CROP))
    half = {"rgb": scored_models.Model(checkpoints / "rgb", "rgb", dtype="bfloat16")}
    whole = protocols.score({"rgb": models["rgb"]}, source, protocol)["rgb"][0]
    found = protocols.score(half, source, protocol)["rgb"][0]
    np.testing.assert_allclose(found, whole, atol=0.1)
    assert (found != whole).any()


def test_flow_is_mirrored_with_its_direction(models):
    """A model that saw places mirrored and dx as it was would tell the two apart."""
    source = clip()
    turned = {name: transforms.flip(stream) for name, stream in source.items()}
    turned["flow"][..., 0] = 255 - turned["flow"][..., 0]
    recipe = ClipRecipe("joint", short_side=SIDE, crop_size=SIDE)
    protocol = protocols.Protocol(recipe, flip=True)
    one, other = (protocols.score(models, c, protocol) for c in (source, turned))
    for name in one:
        np.testing.assert_allclose(one[name][0], other[name][0], atol=1e-4)


def test_classes_are_matched_by_name(models):
    found = scored_models.match_classes(models, ("jump", "run", "wave"))
    assert found.names == NAMES
    assert found.of_dataset == {0: "jump", 1: "run", 2: "wave"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("jump", "sit", "ski"),
            r"2 of the dataset's 3 .* the 3 of .*rgb.*, for .*sit",
        ),
        (("Jump",), r"1 of the dataset's 1 classes are not among .* example 'Jump'"),
    ],
)
def test_other_classes(models, names, message):
    with pytest.raises(ValueError, match=message):
        scored_models.match_classes(models, names)


def test_streams_of_other_classes(models, checkpoints, networks, tmp_path):
    save_checkpoint(networks["flow"], tmp_path / "model.ckpt", scope="Flow")
    labels.write_label_map(tmp_path / "label_map.txt", NAMES[::-1])
    turned = {"rgb": models["rgb"], "flow": scored_models.Model(tmp_path, "flow")}
    with pytest.raises(ValueError, match="are of other classes, or of another order"):
        scored_models.match_classes(turned, NAMES)


def test_a_checkpoint_of_the_other_stream(checkpoints):
    with pytest.raises(ValueError, match="is of the stream rgb, not of flow"):
        scored_models.Model(checkpoints / "rgb", "flow")


def test_a_dense_checkpoint_of_several_labels(networks, models, tmp_path):
    options = {"temporal": "dense", "activation": "sigmoid"}
    network = InceptionI3d(3, width=1 / 16, **options)
    network.set_weights(networks["rgb"].get_weights())
    save_checkpoint(network, tmp_path / "model.ckpt")
    labels.write_label_map(tmp_path / "label_map.txt", NAMES)
    config.write_config_of_model(tmp_path / "model.ckpt", network)
    protocol = protocols.Protocol(ClipRecipe(short_side=SIDE, crop_size=CROP))
    model = {"rgb": scored_models.Model(tmp_path, "rgb")}
    rgb = {"rgb": clip()["rgb"]}
    logits, probabilities = protocols.score(model, rgb, protocol)["rgb"]
    expected, _ = protocols.score({"rgb": models["rgb"]}, rgb, protocol)["rgb"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits)))


def test_a_diverged_checkpoint(checkpoints, tmp_path):
    reader = BundleReader(checkpoints / "rgb")
    broken = {name: reader.read(name) * np.nan for name, _, _ in reader.entries()}
    write_bundle(tmp_path / "model.ckpt", broken)
    labels.write_label_map(tmp_path / "label_map.txt", NAMES)
    protocol = protocols.Protocol(ClipRecipe(short_side=SIDE, crop_size=CROP))
    model = {"rgb": scored_models.Model(tmp_path, "rgb")}
    with pytest.raises(ValueError, match="the rgb model gives NaN or infinity"):
        protocols.score(model, {"rgb": clip()["rgb"]}, protocol)


@pytest.mark.parametrize(
    ("flip", "is_record"),
    [(False, False), (True, False), (True, True)],
    ids=["video", "mirrored video", "mirrored record"],
)
def test_a_long_clip_is_scored_as_the_whole(
    models, flip, is_record, tmp_path, monkeypatch
):
    source = Clip(str(tmp_path / "long.mkv"))
    write_video(source.path, clip(14)["rgb"], codec="ffv1", pixel_format="bgr0")
    recipe = ClipRecipe("joint", short_side=SIDE, crop_size=CROP)
    if is_record:
        monkeypatch.setattr(frame_reader, "_BLOCK", 5)
        (source,) = write_records(tmp_path / "records", [source], short_side=SIDE)
    protocol = protocols.Protocol(recipe, flip=flip)
    assert protocol.longest == 320
    (whole,) = prefetch.read_in_order([source], recipe, [0])
    (long,) = prefetch.read_in_order([source], recipe, [0], longest=12)
    assert (long.long, long.streams, long.error) == (13, None, "")
    expected = protocols.score(models, whole.streams, protocol)
    found = protocols.score_long(models, long, protocol)
    for name in ("rgb", "flow", "joint"):
        np.testing.assert_allclose(found[name][0], expected[name][0], atol=1e-4)
