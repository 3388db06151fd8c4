"""The released rgb_scratch itself, through every way out of this package.

Its files are in `checkpoints/`, or made from the package index's copy. What they
compute is compared with another program's figures, and with those that the release
printed.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.checkpoints import conversion, released
from kinetics_i3d_tf2.export import formats, saved_model
from kinetics_i3d_tf2.export.signatures import Signatures
from kinetics_i3d_tf2.features import compare
from kinetics_i3d_tf2.features.extractor import make_extractor

pytestmark = pytest.mark.slow

# The order of the release's own run, on its .npy (out/no_imagenet_rgb.txt).
TOP = ["playing cricket", "robot dancing", "pumping fist", "breakdancing"]
TOP += ["hurling (sport)", "shooting goal (soccer)"]
TOLERANCE = 1e-4  # of logits whose standard deviation is 2.5


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Prefix of the released checkpoint."""
    root = ROOT
    if not (ROOT / "checkpoints" / "rgb_scratch").is_dir():
        root = tmp_path_factory.mktemp("release")
    try:
        return released.fetch("rgb_scratch", root=root, tries=1)
    except released.DownloadError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def model(prefix):
    return i3d.load_model(prefix)


@pytest.fixture(scope="module")
def frames(shared):
    """All frames of the release's sample GIF, uint8."""
    path = shared / "release" / "sample" / "v_CricketShot_g04_c01_rgb.gif"
    frames = np.stack(list(i3d.iter_video(path, fps=None)))
    assert frames.shape == (79, 224, 224, 3)
    return frames


@pytest.fixture(scope="module")
def clip(frames):
    return (frames.astype(np.float32) / 127.5 - 1)[None]


@pytest.fixture(scope="module")
def expected(golden):
    return golden("real_rgb_scratch")["logits"]


def blob_ids(prefix):
    parts = (".index", ".data-00000-of-00001")
    return [released.blob_id(f"{prefix}{part}") for part in parts]


RELEASED = [file.blob_id for file in released.RELEASED["rgb_scratch"]]


def test_files_are_the_released_ones(prefix):
    assert blob_ids(prefix) == RELEASED
    assert "is rgb_scratch of the release, both files" in conversion.verify_checkpoint(
        prefix
    )


def test_loaded_and_saved_they_come_back_to_the_byte(model, tmp_path):
    assert blob_ids(i3d.save_checkpoint(model, tmp_path / "model.ckpt")) == RELEASED


def test_logits(model, clip, expected):
    logits = np.asarray(model(clip))
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    names = i3d.class_names(400)
    assert [names[index] for index in i3d.top_k(logits[0], 6)] == TOP


def test_bfloat16_finds_the_same_class(model, clip):
    """On some frames, as processors that emulate it take minutes for all."""
    half = i3d.freeze(i3d.fold_batch_norm(model, dtype="bfloat16"))
    some = clip[:, :16]
    assert np.argmax(half(some)) == np.argmax(model(some))


def test_keras_file(model, clip, expected, tmp_path, prefix):
    conversion.export_weights(prefix, tmp_path / "x.keras", "keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_allclose(np.asarray(loaded(clip)), expected, atol=TOLERANCE)
    line = conversion.verify_checkpoint(tmp_path / "x.keras")
    assert line.endswith(f"rgb_scratch of the release, to the bit (blob {RELEASED[1]})")


def test_pytorch_file(prefix, tmp_path):
    pytest.importorskip("torch", reason="the extra ports is not installed")
    conversion.export_weights(prefix, tmp_path / "x.pt", "pytorch")
    imported = conversion.import_weights(tmp_path / "x.pt", tmp_path / "imported")
    assert blob_ids(imported) == RELEASED


def test_saved_model(model, clip, frames, expected, tmp_path):
    functions = Signatures({"rgb": model}, i3d.class_names(400)).concrete_functions()
    saved_model.write(functions, tmp_path / "1")
    loaded = saved_model.load(tmp_path / "1")
    logits = loaded["logits"](rgb=tf.constant(clip))["logits"]
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    # With its own preprocessing, which resizes the frames to 256 pixels.
    answer = loaded["serving_default"](frames=tf.constant(frames[None, :16]))
    assert answer["labels"][0, 0].numpy().decode() == TOP[0]


def test_onnx_file(model, clip, expected, tmp_path):
    try:
        formats.check(tmp_path / "x.onnx", "onnx")
    except ValueError as error:
        pytest.skip(str(error))
    names = i3d.class_names(400)
    formats.write({"rgb": model}, names, tmp_path / "x.onnx", "onnx")
    logits = formats.run(tmp_path / "x.onnx", "onnx", {"rgb": clip})
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)


def test_features(model, clip, expected):
    features = make_extractor({"rgb": model}, endpoint="Mixed_5c", pool="space")
    steps = features({"rgb": clip})[0]
    # The head pools two steps at a time, and takes the mean of its logits.
    pooled = np.mean([(a + b) / 2 for a, b in itertools.pairwise(steps)], axis=0)
    kernel, bias = model.get_layer("Logits").classifier.convolution.weights
    logits = pooled @ kernel.numpy()[0, 0, 0] + bias.numpy()
    np.testing.assert_allclose(logits, expected[0], atol=TOLERANCE)


def test_fvd_of_the_references_example(prefix, monkeypatch):
    """16 videos of 15 black frames against 16 of white: "around 131", its docstring.

    As all of a set are the same, two have the same mean and covariance as 16.
    """
    monkeypatch.chdir(prefix.parents[2])  # rgb_scratch is the default there.
    black = np.zeros((2, 15, 64, 64, 3), np.uint8)
    distance = i3d.frechet_video_distance(black, np.full_like(black, 255))
    assert 131 < distance < 135
    assert i3d.Checkpoint(prefix).fingerprint == compare.RGB_SCRATCH


def test_in_one_line(prefix, frames, clip, expected, monkeypatch):
    monkeypatch.chdir(prefix.parents[2])
    named = i3d.InceptionI3d(weights="rgb_scratch")
    logits = named.predict(clip, verbose=0)
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    (pairs,) = i3d.decode_predictions(logits, top=6)
    assert [name for name, _ in pairs] == TOP
    np.testing.assert_allclose(pairs[0][1], 0.9886, atol=1e-4)
    # Enlarged to 256 pixels and cropped, as any video.
    classified = i3d.Classifier("rgb_scratch")(frames[:16])
    logits = named.predict(i3d.preprocess_input(frames[:16]), verbose=0)
    assert classified[0][0] == TOP[0]
    assert [name for name, _ in classified] == [
        name for name, _ in i3d.decode_predictions(logits)[0]
    ]
