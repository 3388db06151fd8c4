import keras
import numpy as np
import pytest
import recipe
import tensorflow as tf

from kinetics_i3d_tf2 import ConvNetLstm, InceptionI3d, fold_batch_norm, freeze

CLIP = recipe.clip(9, 3, size=193)


def test_folding_keeps_the_logits(small_model):
    folded = fold_batch_norm(small_model)
    assert not any("batch_norm" in v.path for v in folded.weights)
    np.testing.assert_allclose(folded(CLIP), small_model(CLIP), atol=1e-4)
    np.testing.assert_allclose(freeze(folded)(CLIP), small_model(CLIP), atol=1e-4)


def test_folding_an_endpoint_model(small_model):
    features = small_model.endpoint_model(["Mixed_3b", "Logits"])
    folded = freeze(fold_batch_norm(features))(CLIP)
    for name, value in features(CLIP).items():
        np.testing.assert_allclose(folded[name], value, atol=1e-4)


def test_folding_keeps_operations(small_model):
    output = small_model.endpoint_model(["Mixed_3b"]).output["Mixed_3b"]
    model = keras.Model(small_model.input, keras.ops.mean(output, axis=(1, 2, 3)))
    np.testing.assert_allclose(fold_batch_norm(model)(CLIP), model(CLIP), atol=1e-4)


def test_folded_bfloat16_is_close(small_model):
    logits = np.asarray(small_model(CLIP))
    fast = freeze(fold_batch_norm(small_model, dtype="bfloat16"))(CLIP)
    assert np.abs(fast - logits).mean() < 0.05 * logits.std()


def test_a_frozen_model_keeps_its_weights():
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((3,), name="b")}
    difference = keras.layers.Dense(2, name="c")(inputs["a"] - inputs["b"])
    model = keras.Model(inputs, {"c": difference})
    model.set_weights([np.full((3, 2), 2), np.ones(2)])
    frozen = freeze(model)
    model.set_weights([np.zeros((3, 2)), np.zeros(2)])
    clips = {"a": np.full((4, 3), 3, np.float32), "b": np.ones((4, 3), np.float32)}
    for call in (frozen, tf.function(lambda clips: frozen(clips), autograph=False)):
        np.testing.assert_array_equal(call(clips)["c"], np.full((4, 2), 13))


def test_frozen_model_refuses_other_channels(small_model):
    with pytest.raises(ValueError, match=r"None, 3\). Received: \(1, 9, 193, 193, 2\)"):
        freeze(small_model)(CLIP[..., :2])


@pytest.mark.parametrize(
    ("make", "heads"),
    [
        (
            lambda: InceptionI3d(7, final_endpoint="Predictions", width=1 / 16),
            {"Logits", "Predictions"},
        ),
        (lambda: ConvNetLstm(7, width=1 / 16), {"LSTM", "Last", "Dropout", "Logits"}),
    ],
    ids=["InceptionI3d", "ConvNetLstm"],
)
def test_only_the_trunk_is_folded_to_half_precision(make, heads):
    folded = fold_batch_norm(make(), dtype="bfloat16")
    for again in (
        folded,
        fold_batch_norm(folded),
        fold_batch_norm(folded, dtype="bfloat16"),
    ):
        found = {x.name for x in again.layers[1:] if x.compute_dtype == "float32"}
        assert found == heads


def test_folding_keeps_the_precision_of_a_model():
    model = recipe.assign(InceptionI3d(7, width=1 / 16, dtype="mixed_bfloat16"))
    folded = fold_batch_norm(model)
    logits = np.asarray(model(CLIP))
    assert np.abs(folded(CLIP) - logits).mean() < 0.05 * logits.std()
    assert [x.dtype_policy.name for x in folded.layers] == [
        x.dtype_policy.name for x in model.layers
    ]
