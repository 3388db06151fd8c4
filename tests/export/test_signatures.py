"""The functions of an exported model, before they are written."""

import functools

import cv2
import numpy as np
import pytest
import recipe
import tensorflow as tf

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.export import preprocessing, saved_model
from kinetics_i3d_tf2.export.signatures import Signatures
from kinetics_i3d_tf2.models.c3d import C3d
from kinetics_i3d_tf2.models.convnet_lstm import ConvNetLstm
from kinetics_i3d_tf2.models.two_stream import TwoStream
from kinetics_i3d_tf2.video import optical_flow, transforms

NAMES = tuple("abcdefg")
EPSILON = 0.05  # As of the fixture `joint`: most of the time of these tests is flow's.
ANSWER = {"labels", "probabilities", "logits", "class_ids"}


def moving_frames(count, height, width, seed=0):
    """A smooth texture that moves, uint8."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.uniform(0, 255, (600, 600, 3)), (0, 0), 4)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.stack([texture[i : i + height, 2 * i :][:, :width] for i in range(count)])


@functools.cache
def prepared(height, width):
    """Moving frames and their clips of both streams, as evaluate_sample.py does it."""
    frames = moving_frames(9, height, width)
    resized = transforms.resize_short_side(frames, 200)
    rgb = transforms.normalize_rgb(transforms.center_crop(resized, 193))
    displacement = optical_flow.optical_flow(resized, epsilon=EPSILON)
    moved = optical_flow.normalize_flow(transforms.center_crop(displacement, 193))
    return frames, {"rgb": rgb[None], "flow": transforms.loop(moved, 9)[None]}


@pytest.mark.parametrize(("batch", "frames"), [(1, 9), (2, 17)])
def test_logits_are_those_of_keras(models, joint, batch, frames):
    clips = {s: recipe.clip(frames, c, batch) for s, c in (("rgb", 3), ("flow", 2))}
    expected = sum(model(clips[stream]).numpy() for stream, model in models.items())
    received = joint["logits"](**{s: tf.constant(c) for s, c in clips.items()})
    np.testing.assert_allclose(received["logits"], expected, atol=1e-4)


@pytest.mark.parametrize("size", [(193, 250), (200, 200), (260, 230)], ids=str)
def test_frames_are_prepared_as_by_the_library(models, joint, size):
    frames, clips = prepared(*size)
    logits = sum(m(clips[stream]).numpy()[0] for stream, m in models.items())
    answer = joint["serving_default"](frames=tf.constant(frames[None]))
    assert set(answer) == ANSWER
    indices = answer["class_ids"].numpy()[0]
    # Flow differs by hundredths of a pixel, which narrow models see.
    np.testing.assert_allclose(
        answer["logits"][0], logits[indices], atol=0.02 * logits.std()
    )
    assert [NAMES[i] for i in indices] == [
        n.decode() for n in answer["labels"][0].numpy()
    ]
    assert indices.tolist() == logits.argsort()[::-1][:3].tolist()


def test_probabilities_are_of_all_classes(rgb):
    answer = rgb["serving_default"](tf.constant(moving_frames(9, 224, 224)[None]))
    assert answer["labels"].shape == (1, 7)  # There are no more.
    assert (np.diff(answer["logits"].numpy()) <= 0).all()
    np.testing.assert_allclose(
        answer["probabilities"], tf.nn.softmax(answer["logits"]), rtol=1e-5
    )


def test_a_batch_is_answered_clip_by_clip(joint):
    clips = np.stack([moving_frames(9, 200, 200, seed) for seed in (1, 2)])
    both = joint["serving_default"](tf.constant(clips))
    alone = joint["serving_default"](tf.constant(clips[1:]))
    np.testing.assert_array_equal(both["labels"][1], alone["labels"][0])
    np.testing.assert_allclose(both["logits"][1], alone["logits"][0], atol=1e-4)
    assert np.abs(both["logits"][0] - both["logits"][1]).max() > 0.01


@pytest.mark.parametrize("size", [(200, 260), (480, 270), (719, 1280), (256, 341)])
def test_resizing_is_the_librarys(models, size):
    frames = moving_frames(2, *size)[None] if max(size) < 600 else None
    if frames is None:
        frames = np.random.default_rng(0).integers(0, 256, (1, 2, *size, 3), np.uint8)
    expected = transforms.resize_short_side(frames).astype(int)
    received = preprocessing.resize(tf.constant(frames), 256).numpy()
    assert received.dtype == np.uint8
    assert received.shape == expected.shape
    difference = np.abs(received - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.15  # OpenCV rounds twice.


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_encoded_frames_answer_as_their_pixels(rgb, suffix):
    frames = moving_frames(9, 200, 240)
    coded = [cv2.imencode(suffix, frame[..., ::-1])[1].tobytes() for frame in frames]
    pixels = [cv2.imdecode(np.frombuffer(image, np.uint8), 1) for image in coded]
    pixels = np.stack(pixels)[..., ::-1]
    received = rgb["encoded_frames"](image_bytes=tf.constant([coded]))
    expected = rgb["serving_default"](frames=tf.constant(pixels[None]))
    for name in ANSWER:
        np.testing.assert_array_equal(received[name], expected[name])


def test_features_are_the_mean_of_mixed_5c(models, joint):
    frames, clips = prepared(200, 200)
    received = joint["features"](frames=tf.constant(frames[None]))
    assert set(received) == {"rgb", "flow"}
    for stream, model in models.items():
        endpoint = model.endpoint_model(["Mixed_5c"])(clips[stream])["Mixed_5c"]
        expected = np.mean(endpoint, axis=(1, 2, 3))
        # Flow differs as above, pixels by rounding.
        share = 0.02 if stream == "flow" else 1e-4
        np.testing.assert_allclose(
            received[stream], expected, atol=share * expected.std()
        )


def test_dense_logits_are_the_sum_of_both_streams(models, joint):
    frames, clips = prepared(200, 200)
    received = joint["dense"](frames=tf.constant(frames[None]))
    assert received["logits"].shape == (1, 1, 7)
    expected = sum(
        model.endpoint_model(["Logits"], temporal="dense")(clips[stream])["Logits"]
        for stream, model in models.items()
    ).numpy()
    np.testing.assert_allclose(received["logits"], expected, atol=0.02 * expected.std())
    np.testing.assert_allclose(
        received["probabilities"], tf.nn.softmax(received["logits"]), rtol=1e-5
    )


def test_a_dense_model_of_several_labels(tmp_path):
    model = InceptionI3d(5, width=1 / 16, temporal="dense", activation="sigmoid")
    recipe.assign(model)
    functions = Signatures({"rgb": model}, NAMES[:5]).concrete_functions()
    saved_model.write(functions, tmp_path / "1")
    loaded = saved_model.load(tmp_path / "1")
    frames = moving_frames(33, 256, 300)  # No resizing, which rounds differently.
    clip = transforms.normalize_rgb(
        transforms.center_crop(transforms.resize_short_side(frames))
    )[None]
    expected = model(clip).numpy()
    assert expected.shape == (1, 4, 5)
    received = loaded["dense"](frames=tf.constant(frames[None]))
    np.testing.assert_allclose(received["logits"], expected, atol=1e-4)
    np.testing.assert_allclose(
        received["probabilities"], tf.nn.sigmoid(received["logits"]), rtol=1e-5
    )
    np.testing.assert_allclose(received["seconds"], [[0.32, 0.64, 0.96, 1.28]])
    mean = loaded["logits"](rgb=tf.constant(clip))["logits"]
    np.testing.assert_allclose(mean, expected.mean(1), atol=1e-4)
    answer = loaded["serving_default"](frames=tf.constant(frames[None]))
    np.testing.assert_allclose(
        answer["probabilities"], tf.nn.sigmoid(answer["logits"]), rtol=1e-5
    )


@pytest.mark.parametrize("size", [200, 400])
def test_a_client_may_bring_flow(models, joint, size):
    frames = moving_frames(9, size, size)
    displacement = optical_flow.optical_flow(frames[:, :200, :200]) * (size / 200)
    displacement = np.stack([cv2.resize(d, (size, size)) for d in displacement])
    received = joint["flow"](
        frames=tf.constant(frames[None]), flow=tf.constant(displacement[None])
    )
    scaled = transforms.resize_short_side(displacement, 200) * np.float32(200 / size)
    clip = optical_flow.normalize_flow(transforms.center_crop(scaled, 193))
    clips = {
        "rgb": transforms.normalize_rgb(
            transforms.center_crop(transforms.resize_short_side(frames, 200), 193)
        )[None],
        "flow": transforms.loop(clip, 9)[None],
    }
    expected = sum(m(clips[stream]).numpy()[0] for stream, m in models.items())
    indices = received["class_ids"].numpy()[0]
    np.testing.assert_allclose(
        received["logits"][0], expected[indices], atol=1e-2 * expected.std()
    )


def test_one_stream(models, rgb):
    assert set(rgb) == {
        "serving_default",
        "encoded_frames",
        "logits",
        "features",
        "dense",
    }
    assert rgb["logits"](rgb=tf.zeros((1, 9, 224, 224, 3)))["logits"].shape == (1, 7)
    flow = {"flow": models["flow"]}
    optical = Signatures(flow, NAMES, epsilon=EPSILON).concrete_functions()
    answer = optical["flow"](flow=tf.zeros((2, 12, 224, 300, 2)))
    assert answer["labels"].shape == (2, 7)


def test_bfloat16_is_near(models):
    rgb = {"rgb": models["rgb"]}
    functions = Signatures(rgb, NAMES, dtype="bfloat16").concrete_functions()
    clip = recipe.clip(9, 3)
    exact = models["rgb"](clip).numpy()
    rounded = functions["logits"](rgb=tf.constant(clip))["logits"].numpy()
    assert 0 < np.abs(rounded - exact).mean() < 0.05 * exact.std()


def frames_of(*shape):
    return {"frames": tf.zeros(shape, tf.uint8)}


IMAGE = tf.io.encode_png(tf.zeros((200, 200, 3), tf.uint8)).numpy()
WIDER = tf.io.encode_jpeg(tf.zeros((200, 208, 3), tf.uint8)).numpy()
SMALL = tf.io.encode_png(tf.zeros((192, 200, 3), tf.uint8)).numpy()


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        (
            "serving_default",
            frames_of(1, 8, 224, 224, 3),
            r"9 frames of 193 .*\[1 8 224",
        ),
        (
            "serving_default",
            frames_of(1, 9, 192, 224, 3),
            r"193 pixels.*\[1 9 192 224 3",
        ),
        ("serving_default", frames_of(0, 9, 224, 224, 3), r"at least one clip.*\[0 9"),
        (
            "features",
            frames_of(1, 9, 224, 100, 3),
            r"frames: expected.*\[1 9 224 100 3",
        ),
        ("encoded_frames", [[IMAGE] * 8], r"image_bytes: .*9 images.*\[1 8\]"),
        ("encoded_frames", [[IMAGE] * 5 + [b"", b"GIF89a"] + [IMAGE] * 2], r"\[5 6\]"),
        ("encoded_frames", [[IMAGE] * 8 + [WIDER]], r"one size.*200 208 3.*200 200 3"),
        ("encoded_frames", [[SMALL] * 9], r"193 pixels a side.*\[192 200 3"),
        ("encoded_frames", [[IMAGE] * 8 + [IMAGE[:60]]], "Invalid PNG data"),
        (
            "logits",
            {
                "rgb": tf.zeros((1, 9, 224, 224, 3)),
                "flow": tf.zeros((1, 8, 224, 224, 2)),
            },
            r"flow: expected at least.*\[1 8 224",
        ),
        (
            "logits",
            {
                "rgb": tf.fill((1, 9, 224, 224, 3), 255.0),
                "flow": tf.zeros((1, 9, 224, 224, 2)),
            },
            r"rgb: expected values in \[-1, 1\], x / 127.5 - 1.*\[255\]",
        ),
        (
            "logits",
            {
                "rgb": tf.zeros((1, 9, 224, 224, 3)),
                "flow": tf.fill((1, 9, 224, 224, 2), np.nan),
            },
            r"flow: expected values in \[-1, 1\], pixels / 20.*nan",
        ),
        (
            "flow",
            {**frames_of(1, 9, 224, 224, 3), "flow": tf.zeros((1, 7, 224, 224, 2))},
            r"one less than there are frames.*\[1 9\].*\[1 7\]",
        ),
        (
            "flow",
            {
                **frames_of(1, 9, 224, 224, 3),
                "flow": tf.fill((1, 8, 224, 224, 2), np.inf),
            },
            "finite displacements.*inf",
        ),
    ],
)
def test_wrong_inputs(joint, rgb, signature, inputs, message):
    functions = joint
    if signature == "encoded_frames":
        functions, inputs = rgb, {"image_bytes": tf.constant(inputs)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        functions[signature](**inputs)


@pytest.mark.parametrize(
    "frames",
    [tf.zeros((9, 224, 224, 3), tf.uint8), tf.zeros((1, 9, 224, 224, 3))],
    ids=["rank", "dtype"],
)
def test_inputs_of_another_rank_or_dtype(joint, frames):
    wrong = (TypeError, ValueError, tf.errors.InvalidArgumentError)
    with pytest.raises(wrong, match="frames|uint8"):
        joint["serving_default"](frames=frames)


def softmax(logits):
    return np.asarray(tf.nn.softmax(logits))


@pytest.fixture(scope="module")
def two_stream():
    """A model of one frame and four of flow, and its functions."""
    model = recipe.assign(TwoStream(7, snippet=4, width=1 / 16))
    clip = ClipRecipe("joint", num_frames=4, rgb_stride=4, windowed=True)
    # The flow of other tests, which is traced once.
    signatures = Signatures({"joint": model}, NAMES, recipe=clip, epsilon=EPSILON)
    return model, signatures.concrete_functions()


@pytest.mark.parametrize("count", [8, 11, 3], ids=["two", "two-apart", "looped"])
def test_windows_of_both_streams(two_stream, count):
    """The mean of the predictions of windows, and of a video shorter than one."""
    model, functions = two_stream
    assert set(functions) == {"serving_default", "encoded_frames", "logits", "flow"}
    frames = np.stack([moving_frames(count, 256, 256, seed) for seed in (0, 1)])
    motion = recipe.clip(count - 1, 2, batch=2, size=256) * 9
    answer = functions["flow"](frames=tf.constant(frames), flow=tf.constant(motion))
    last = max(count - 1 - 4, 0)
    predictions = []
    for first in (0, last) if count >= 8 else (0,):
        numbers = (first + np.arange(4)) % (count - 1)
        rgb = transforms.normalize_rgb(transforms.center_crop(frames[:, numbers[0]]))
        moved = transforms.center_crop(motion[:, numbers]) / 20
        view = {"rgb": rgb[:, None], "flow": moved.astype(np.float32)}
        predictions.append(softmax(model(view)))
    expected = np.mean(predictions, axis=0)
    indices = answer["class_ids"].numpy()
    received = answer["probabilities"].numpy()
    np.testing.assert_allclose(
        received, np.take_along_axis(expected, indices, 1), rtol=2e-3
    )
    assert (indices[:, 0] == expected.argmax(1)).all()
    np.testing.assert_allclose(np.exp(answer["logits"]), received, rtol=1e-4)


@pytest.mark.parametrize("count", [16, 35])
def test_windows_of_small_pictures(count):
    model = recipe.assign(C3d(7, width=1 / 16))
    clip = ClipRecipe.of_model("c3d")
    functions = Signatures({"rgb": model}, NAMES, recipe=clip).concrete_functions()
    frames = moving_frames(count, 128, 170)
    starts = (0, count - 16) if count > 16 else (0,)
    views = [transforms.center_crop(frames[s : s + 16], 112) for s in starts]
    expected = softmax(model(transforms.normalize_rgb(np.stack(views)))).mean(0)
    answer = functions["serving_default"](frames=tf.constant(frames[None]))
    indices = answer["class_ids"].numpy()[0]
    np.testing.assert_allclose(answer["probabilities"][0], expected[indices], rtol=1e-3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="16 frames of 112 pixels"):
        functions["logits"](rgb=tf.zeros((1, 17, 112, 112, 3)))


def test_every_fifth_frame_of_a_whole_video():
    model = recipe.assign(ConvNetLstm(7, width=1 / 16))
    clip = ClipRecipe.of_model("convnet_lstm")
    functions = Signatures({"rgb": model}, NAMES, recipe=clip).concrete_functions()
    frames = moving_frames(17, 256, 256)
    seen = transforms.normalize_rgb(transforms.center_crop(frames[::5]))
    expected = model(seen[None])[0].numpy()
    answer = functions["serving_default"](frames=tf.constant(frames[None]))
    indices = answer["class_ids"].numpy()[0]
    np.testing.assert_allclose(answer["logits"][0], expected[indices], atol=1e-3)
