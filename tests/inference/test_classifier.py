"""The classifier gives what its models give of prepared frames."""

import numpy as np
import pytest
import recipe
from videos import write_video

from kinetics_i3d_tf2 import (
    C3d,
    Classifier,
    InceptionI3d,
    load_model,
    save_checkpoint,
)
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.inference import frames as frames_module
from kinetics_i3d_tf2.inference import runner
from kinetics_i3d_tf2.video import optical_flow, transforms

NAMES = tuple("abcdefg")


@pytest.fixture(scope="module")
def models():
    return {
        stream: recipe.assign(
            InceptionI3d(7, num_channels=channels, width=1 / 16), channels
        )
        for stream, channels in {"rgb": 3, "flow": 2}.items()
    }


@pytest.fixture(scope="module")
def paths(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    for stream, model in models.items():
        save_checkpoint(model, folder / stream / "model.ckpt")
        labels.write_label_map(folder / stream / "label_map.txt", NAMES)
    return {stream: folder / stream for stream in models}


@pytest.fixture(scope="module")
def frames():
    noise = np.random.default_rng(0).integers(0, 256, (9, 10, 3), np.uint8)
    large = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    return np.stack([large[n : n + 256, 2 * n : 2 * n + 340] for n in range(12)])


def expected_logits(models, frames):
    rgb = transforms.normalize_rgb(transforms.center_crop(frames))
    flow = transforms.center_crop(optical_flow.optical_flow(frames))
    flow = optical_flow.normalize_flow(flow)
    return {
        "rgb": np.asarray(models["rgb"](rgb[None]))[0],
        "flow": np.asarray(models["flow"](flow[None]))[0],
    }


def test_both_streams(models, paths, frames):
    classifier = Classifier(paths["flow"], paths["rgb"])
    assert list(classifier.models) == ["rgb", "flow"]
    assert classifier.class_names == NAMES
    scores = classifier.score(frames)
    expected = expected_logits(models, frames)
    np.testing.assert_allclose(scores.streams["rgb"], expected["rgb"], atol=1e-4)
    np.testing.assert_allclose(scores.streams["flow"], expected["flow"], atol=1e-4)
    np.testing.assert_allclose(scores.logits, sum(expected.values()), atol=1e-4)
    assert scores.seconds == (0.0, 0.48)


def test_a_file_and_its_frames_are_one(models, frames, tmp_path):
    path = tmp_path / "clip.mkv"
    write_video(path, frames, codec="ffv1", pixel_format="bgr0")
    classifier = Classifier.of_models({"rgb": models["rgb"]}, NAMES)
    pairs = classifier(path, top=3)
    assert pairs == classifier.score(frames).top(3)
    assert [name for name, _ in pairs] == sorted(
        NAMES, key=lambda name: -dict(classifier(path, top=7))[name]
    )[:3]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ((), "must be one or two with the same classes. Received: none"),
        (("rgb", "rgb"), "must be of different streams. Received two of rgb"),
    ],
    ids=["none", "twice"],
)
def test_checkpoints_that_do_not_go_together(paths, chosen, message):
    with pytest.raises(ValueError, match=message):
        Classifier(*(paths[stream] for stream in chosen))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((9, 224, 224, 3)), "must be uint8 RGB .* Received: float64"),
        (np.zeros((224, 224, 3), np.uint8), "Received: uint8 .224, 224, 3."),
        (np.zeros((9, 224, 224, 2), np.uint8), "must be uint8 RGB"),
    ],
    ids=["floats", "one frame", "flow"],
)
def test_wrong_frames(models, frames, message):
    classifier = Classifier.of_models({"rgb": models["rgb"]}, NAMES)
    with pytest.raises(ValueError, match=message):
        classifier.score(frames)


def test_one_frame_has_no_flow(models, frames):
    classifier = Classifier.of_models(models, NAMES)
    with pytest.raises(ValueError, match="one frame, and optical flow needs two"):
        classifier.score(frames[:1])


@pytest.mark.parametrize(
    "several",
    [
        lambda frames: [frames, frames[::-1]],
        lambda frames: np.stack([frames, frames[::-1]]),
        lambda frames: (list(frames), list(frames[::-1])),
    ],
    ids=["arrays", "batch", "lists of frames"],
)
def test_several_videos(models, frames, several):
    classifier = Classifier.of_models({"rgb": models["rgb"]}, NAMES)
    one, other = classifier(frames, top=2), classifier(frames[::-1], top=2)
    assert classifier(several(frames), top=2) == [one, other]
    assert classifier(list(frames), top=2) == one


def test_several_files(models, frames, tmp_path):
    paths = [tmp_path / "a.mkv", tmp_path / "b.mkv"]
    for path, clip in zip(paths, (frames, frames[::-1]), strict=True):
        write_video(path, clip, codec="ffv1", pixel_format="bgr0")
    classifier = Classifier.of_models({"rgb": models["rgb"]}, NAMES)
    assert classifier(paths) == [classifier(path) for path in paths]
    assert classifier([str(paths[0])]) == [classifier(paths[0])]


def test_keras_files_and_models(models, paths, frames, tmp_path):
    expected = Classifier(paths["rgb"])(frames)
    model = load_model(paths["rgb"])
    model.save(tmp_path / "x.keras")
    assert Classifier(tmp_path / "x.keras")(frames) == expected
    assert Classifier(model)(frames) == expected


def test_unknown_class_names(models, frames, tmp_path):
    save_checkpoint(models["rgb"], tmp_path / "model.ckpt")
    message = "the names of its 7 classes are unknown; write a label_map.txt"
    with pytest.raises(ValueError, match=message):
        Classifier(tmp_path)
    model = load_model(tmp_path)
    with pytest.raises(ValueError, match="inception_i3d: the names of its 7 classes"):
        Classifier(model)
    model.class_names = NAMES
    assert len(Classifier(model)(frames)) == 5


def test_another_architecture():
    message = "c3d: is a C3d, not InceptionI3d; use i3d evaluate"
    with pytest.raises(ValueError, match=message):
        Classifier(C3d(class_names=NAMES, width=1 / 16))


@pytest.mark.parametrize("streams", [("rgb",), ("rgb", "flow")], ids=["rgb", "joint"])
def test_long_videos_have_the_scores_of_the_whole(
    models, frames, tmp_path, monkeypatch, streams
):
    path = tmp_path / "clip.mkv"
    write_video(path, frames, codec="ffv1", pixel_format="bgr0")
    classifier = Classifier.of_models({name: models[name] for name in streams}, NAMES)
    whole = classifier.score(frames)
    for module in (runner, frames_module):
        monkeypatch.setattr(module, "MAX_WHOLE", 10)
    for scores in (
        classifier.score(path, max_frames=None),
        classifier.score(frames),
        classifier.score_clips(classifier.prepare(frames), seconds=(0.0, 0.48)),
    ):
        assert scores.seconds == (0.0, 0.48)
        for name in streams:
            np.testing.assert_allclose(
                scores.streams[name], whole.streams[name], atol=1e-4
            )


def test_long_videos_are_cut_with_a_warning(frames, tmp_path, monkeypatch, caplog):
    path = tmp_path / "clip.mkv"
    write_video(path, frames, codec="ffv1", pixel_format="bgr0")
    monkeypatch.setattr(frames_module, "MAX_WHOLE", 5)
    long = frames_module.read_frames(path, max_frames=8)
    assert isinstance(long, frames_module.LongVideo)
    assert len(long) == len(list(long)) == 8
    assert "is longer: using 0.32 seconds from second 0" in caplog.text
    caplog.clear()
    assert len(frames_module.read_frames(path, max_frames=None)) == 12
    assert len(frames_module.read_frames(path, max_frames=5)) == 5
    assert caplog.text.count("is longer") == 1


def test_dense_models_of_several_labels(models, frames):
    model = InceptionI3d(
        7, width=1 / 16, temporal="dense", activation="sigmoid", class_names=NAMES
    )
    recipe.assign(model, 3)
    scores = Classifier(model).score(frames)
    one_label = Classifier.of_models({"rgb": models["rgb"]}, NAMES).score(frames)
    np.testing.assert_allclose(scores.logits, one_label.logits, atol=1e-4)
    np.testing.assert_allclose(
        scores.probabilities, 1 / (1 + np.exp(-scores.logits)), rtol=1e-5
    )
    assert [n for n, _ in scores.top(7)] == [n for n, _ in one_label.top(7)]
    flow = InceptionI3d(7, num_channels=2, width=1 / 16, class_names=NAMES)
    with pytest.raises(ValueError, match="must have one activation.*'rgb': 'sigmoid'"):
        Classifier(model, flow)
