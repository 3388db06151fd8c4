"""Dense logits, whose mean is the answer, and their values at frames."""

import re

import keras
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import (
    InceptionI3d,
    fold_batch_norm,
    save_checkpoint,
    upsample_dense,
)
from kinetics_i3d_tf2.models.dense import place_frames


@pytest.fixture(scope="module")
def clip():
    return recipe.clip(33, 3, size=193)


@pytest.fixture(scope="module")
def models():
    dense = InceptionI3d(7, width=1 / 16, temporal="dense")
    mean = InceptionI3d(7, width=1 / 16)
    return recipe.assign(dense, 3), recipe.assign(mean, 3)


def test_the_mean_of_dense_logits_is_the_answer(models, clip):
    dense, mean = (np.asarray(model(clip)) for model in models)
    assert dense.shape == (1, 4, 7)
    np.testing.assert_allclose(dense.mean(1), mean, atol=1e-5)
    assert np.ptp(dense, axis=1).max() > 1e-3  # It differs from time to time.


@pytest.mark.parametrize("own", [0, 1], ids=["of dense", "of mean"])
@pytest.mark.parametrize("is_folded", [False, True], ids=["as it is", "folded"])
def test_endpoints_of_either(models, clip, own, is_folded):
    dense, mean = (np.asarray(model(clip)) for model in models)
    for temporal, expected in (("dense", dense), ("mean", mean)):
        model = models[own].endpoint_model(["Logits", "Mixed_5c"], temporal=temporal)
        if is_folded:
            model = fold_batch_norm(model)
        found = model(clip)
        assert found["Mixed_5c"].shape == (1, 5, 7, 7, 64)
        np.testing.assert_allclose(found["Logits"], expected, atol=1e-4)


def test_probabilities_of_each_class_by_itself(clip):
    model = InceptionI3d(
        7, final_endpoint="Predictions", width=1 / 16, activation="sigmoid"
    )
    outputs = model.endpoint_model(["Logits", "Predictions"])(clip)
    expected = 1 / (1 + np.exp(-np.asarray(outputs["Logits"])))
    np.testing.assert_allclose(outputs["Predictions"], expected, atol=1e-6)
    dense = model.endpoint_model(["Predictions"], temporal="dense")(clip)
    assert dense["Predictions"].shape == (1, 4, 7)


def test_a_checkpoint_is_of_both(models, clip, tmp_path):
    prefix = save_checkpoint(models[1], tmp_path / "model.ckpt")
    for model in models:
        loaded = InceptionI3d(weights=prefix, temporal=model.temporal)
        np.testing.assert_array_equal(loaded(clip), model(clip))


def test_weights_are_the_same(models):
    assert [v.path.split("/", 1)[1] for v in models[0].weights] == [
        v.path.split("/", 1)[1] for v in models[1].weights
    ]


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"spatial_squeeze": False}, (1, 4, 1, 1, 7)),
        ({"final_endpoint": "Predictions"}, (1, 4, 7)),
    ],
    ids=str,
)
def test_shapes(clip, options, shape):
    model = InceptionI3d(7, width=1 / 16, temporal="dense", **options)
    output = np.asarray(model(clip))
    assert output.shape == shape
    assert model.output.shape[0] is None and model.output.shape[-1] == 7
    if "final_endpoint" in options:
        np.testing.assert_allclose(output.sum(-1), 1, rtol=1e-5)


def test_a_keras_file_keeps_it(models, clip, tmp_path):
    models[0].save(tmp_path / "dense.keras")
    loaded = keras.models.load_model(tmp_path / "dense.keras")
    assert loaded.temporal == "dense"
    np.testing.assert_array_equal(models[0](clip), loaded(clip))


def test_places_are_where_the_network_looks(models):
    """A change of a frame moves the place in whose middle it is the most."""
    dense = models[0]
    blank = np.zeros((1, 65, 193, 193, 3), np.float32)
    before = np.asarray(dense(blank))
    moved = []
    for frame in (16, 24, 32, 40, 48):
        clip = blank.copy()
        clip[:, frame - 1 : frame + 1] = 1.0
        change = np.abs(np.asarray(dense(clip)) - before).sum(-1)[0]
        moved.append(np.abs(place_frames(len(change)) - frame)[change.argmax()])
    assert np.mean(moved) <= 8


@pytest.mark.parametrize("frames", [33, [7.5, 15.5], [11.5, 0, 100.0]], ids=str)
def test_upsampling_is_linear_between_the_middles_of_places(frames):
    logits = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    found = np.asarray(upsample_dense(logits, frames))
    wanted = np.arange(frames) if isinstance(frames, int) else frames
    expected = np.stack(
        [
            [np.interp(wanted, place_frames(4), row[:, k]) for k in range(3)]
            for row in logits
        ]
    ).transpose(0, 2, 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_place_is_everywhere():
    logits = np.ones((1, 1, 2), np.float32)
    np.testing.assert_array_equal(upsample_dense(logits, 3), np.ones((1, 3, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: InceptionI3d(temporal="max"), "each place in time. Received: 'max'"),
        (
            lambda: InceptionI3d(activation="relu"),
            "one for each class by itself. Received: 'relu'",
        ),
        (lambda: upsample_dense(np.ones((2, 3)), 4), "one place. Received: (2, 3)"),
        (
            lambda: upsample_dense(np.ones((1, 2, 3)), [[1]]),
            "Received shape: (1, 1)",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
